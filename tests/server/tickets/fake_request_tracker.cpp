#include "tests/server/tickets/fake_request_tracker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace catenary::tests {

using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 6> states{"new", "open", "stalled", "resolved", "rejected", "deleted"};

bool is_state(const std::string& word) { return std::ranges::find(states, word) != states.end(); }
bool is_active(const std::string& word) { return word == "new" || word == "open" || word == "stalled"; }

/// What stands in quotation marks after `before`.
std::string quoted_after(const std::string& query, const std::string& before) {
    const auto at = query.find(before + " '");
    if (at == std::string::npos) return "";
    const auto from = at + before.size() + 2;
    return query.substr(from, query.find('\'', from) - from);
}

json user(const std::string& name) { return {{"id", name}, {"type", "user"}}; }

}  // namespace

json FakeRequestTracker::connector() const {
    return {{"kind", "request_tracker"},
            {"url", site_.url() + "/"},
            {"secrets", {{"token", "1-2-three"}}},
            {"priorities", {{"high", 80}, {"low", 20}}},
            {"statuses", {{"new", "new"}, {"active", "open"}, {"closed", "resolved"}}},
            {"resolutions", {{"resolved", "true_positive"}, {"rejected", "false_positive"}}},
            {"closing", "apply"},
            {"poll", "1s"},
            {"request_tracker", {{"queue", "SOC"}, {"incident_field", "External incident id"}}}};
}

std::string FakeRequestTracker::word_for(const std::string& status) const { return status == "active" ? "open" : status == "closed" ? "resolved" : status; }

void FakeRequestTracker::lose_field() {
    const std::lock_guard lock{mutex_};
    has_field_ = false;
}

void FakeRequestTracker::meddle(int times) {
    const std::lock_guard lock{mutex_};
    meddling_ = times;
}

std::string FakeRequestTracker::sort_of(const SiteRequest& request) const {
    const auto path = path_of(request);
    if (path == "/REST/2.0/tickets") {
        const auto query = parameter(request, "query");
        return query.starts_with("id = ") ? "group" : query.find("STARTSWITH") == std::string::npos ? "find" : "poll";
    }
    if (path == "/REST/2.0/ticket") return "create";
    if (request.method == "PUT") return request.body.find("AddRefersTo") == std::string::npos ? "change" : "relate";
    if (request.method == "POST") return "note";
    return path.starts_with("/REST/2.0/ticket/") || path == "/REST/2.0/transactions" ? "read" : "test";
}

json FakeRequestTracker::shown(int id, const Ticket& ticket) const {
    auto fields = json::array();
    if (has_field_) fields.push_back({{"id", "2"}, {"name", "External incident id"}, {"values", json::array({ticket.marker})}});
    auto links = json::array({{{"ref", "self"}, {"type", "ticket"}, {"id", id}}});
    for (const auto& [from, to] : links_) {
        if (from == id) links.push_back({{"ref", "refers-to"}, {"type", "ticket"}, {"id", std::to_string(to)}});
        if (to == id) links.push_back({{"ref", "referred-to-by"}, {"type", "ticket"}, {"id", std::to_string(from)}});
    }
    return {{"id", id},
            {"Subject", ticket.title},
            {"Status", ticket.deleted ? "deleted" : ticket.status},
            {"Priority", ticket.priority},
            {"Owner", user("Nobody")},
            {"Creator", user(creator_of(ticket))},
            {"CustomFields", fields},
            {"_hyperlinks", links},
            {"Due", "1970-01-01T00:00:00Z"},
            {"LastUpdated", time_of(ticket.changed)}};
}

std::string FakeRequestTracker::creator_of(const Ticket& ticket) const {
    const auto known = ticket.more.find("creator");
    return known == ticket.more.end() ? account() : known->second;
}

void FakeRequestTracker::give(int id, const std::string& creator) {
    const std::lock_guard lock{mutex_};
    tickets_.at(id).more["creator"] = creator;
}

void FakeRequestTracker::note_status(int id, const std::string& before) {
    entries_[id].push_back({next_entry_++, "Status", "", "mika", "", "", before, tickets_.at(id).status});
}

SiteAnswer FakeRequestTracker::list(const SiteRequest& request) const {
    const auto query = parameter(request, "query");
    const auto marker = quoted_after(query, "CF.{External incident id} =");
    const auto prefix = quoted_after(query, "CF.{External incident id} STARTSWITH");
    const auto group = quoted_after(query, "Status =");
    const bool of_ours = query.find("Creator = '__CurrentUser__'") != std::string::npos;
    const int asked = query.starts_with("id = ") ? std::stoi(query.substr(5)) : 0;
    std::vector<std::pair<int, Ticket>> found;
    for (const auto& [id, ticket] : tickets_) {
        if (ticket.deleted || !has_field_ || (asked != 0 && id != asked)) continue;
        if (of_ours && creator_of(ticket) != account()) continue;
        if (marker.empty() ? !ticket.marker.starts_with(prefix) : ticket.marker != marker) continue;
        if (!group.empty() && (group == "__Active__") != is_active(ticket.status)) continue;
        found.emplace_back(id, ticket);
    }
    if (parameter(request, "orderby") == "LastUpdated")
        std::ranges::sort(found, [](const auto& a, const auto& b) { return a.second.changed > b.second.changed; });
    const auto size = static_cast<std::size_t>(std::stoi(parameter(request, "per_page")));
    const auto page = parameter(request, "page");
    const auto from = size * static_cast<std::size_t>(page.empty() ? 0 : std::stoi(page) - 1);
    auto items = json::array();
    for (std::size_t i = from; i < std::min(found.size(), from + size); ++i) {
        auto item = shown(found[i].first, found[i].second);
        item["id"] = std::to_string(found[i].first);  // a number where one is asked for, text in lists
        items.push_back(std::move(item));
    }
    return {200, json{{"items", items}, {"count", items.size()}, {"total", nullptr}}.dump(), {}, {}};
}

SiteAnswer FakeRequestTracker::create(const json& wanted) {
    if (wanted.value("Queue", "") != "SOC") return {403, R"({"message":"No permission to create tickets in the queue"})", {}, {}};
    const auto status = wanted.value("Status", "new");
    if (!is_state(status)) return {400, json{{"message", "Status '" + status + "' isn't a valid status for tickets in this queue."}}.dump(), {}, {}};
    Ticket ticket;
    ticket.title = wanted.value("Subject", "");
    ticket.body = wanted.value("Content", "");
    ticket.status = status;
    ticket.priority = std::to_string(wanted.value("Priority", 0));
    ticket.changed = ++clock_;
    if (has_field_) ticket.marker = wanted["CustomFields"].value("External incident id", "");
    const int id = tickets_.empty() ? 1 : tickets_.rbegin()->first + 1;
    tickets_[id] = ticket;
    return {201, json{{"id", std::to_string(id)}, {"type", "ticket"}}.dump(), {}, {}};
}

SiteAnswer FakeRequestTracker::change(const SiteRequest& request, int id, const json& wanted) {
    auto& ticket = tickets_.at(id);
    if (const auto guard = request.headers.find("if-match"); guard != request.headers.end() && guard->second != fmt::format("\"{}\"", ticket.changed))
        return {412, R"({"message":"Precondition Failed"})", {}, {}};
    auto said = json::array();
    ticket.title = wanted.value("Subject", ticket.title);
    if (wanted.contains("Priority")) ticket.priority = std::to_string(wanted["Priority"].get<int>());
    if (const auto status = wanted.value("Status", ticket.status); is_state(status)) {
        ticket.ours = ticket.ours || status != ticket.status;
        if (status != ticket.status) entries_[id].push_back({next_entry_++, "Status", "", account(), "", "", ticket.status, status});
        ticket.status = status;
    } else {
        said.push_back(fmt::format("Ticket {}: Status '{}' isn't a valid status for this ticket.", id, status));
    }
    ticket.changed = ++clock_;
    return {200, said.dump(), {}, {}};
}

SiteAnswer FakeRequestTracker::relate(int id, const json& wanted) {
    if (forbids_links_) return {403, R"({"message":"Permission Denied"})", {}, {}};
    auto said = json::array();
    for (const auto& other : wanted["AddRefersTo"]) {
        const int to = std::stoi(other.get<std::string>());
        if (!tickets_.contains(to)) {
            said.push_back(fmt::format("Couldn't resolve '{}' into a link.", to));
            continue;
        }
        const bool is_new = links_.emplace(id, to).second;
        said.push_back(is_new ? fmt::format("Ticket {} refers to Ticket {}.", id, to) : "Link already exists");
        if (is_new) tickets_.at(id).changed = tickets_.at(to).changed = ++clock_;
    }
    return {200, said.dump(), {}, {}};
}

void FakeRequestTracker::enter(int id, Entry entry) {
    auto& ticket = tickets_.at(id);
    const bool opens = entry.type == "Correspond" && !is_active(ticket.status);
    entry.id = next_entry_++;
    entries_[id].push_back(std::move(entry));
    if (opens) {
        entries_[id].push_back({next_entry_++, "Status", "", "RT_System", "", "", ticket.status, "open"});
        ticket.status = "open";
    }
    ticket.changed = ++clock_;
}

void FakeRequestTracker::reply(int id, const std::string& who, const std::string& words, const std::string& type) {
    const std::lock_guard lock{mutex_};
    enter(id, {0, "Correspond", "No Subject", who, words, type});
}

void FakeRequestTracker::forbid_ties(bool forbids) {
    const std::lock_guard lock{mutex_};
    forbids_links_ = forbids;
}

std::set<int> FakeRequestTracker::linked(int id) const {
    const std::lock_guard lock{mutex_};
    std::set<int> others;
    for (const auto& [from, to] : links_) {
        if (from == id) others.insert(to);
        if (to == id) others.insert(from);
    }
    return others;
}

SiteAnswer FakeRequestTracker::history(const SiteRequest& request, int id) const {
    const auto& ticket = tickets_.at(id);
    auto all = json::array();
    if (const auto known = entries_.find(id); known != entries_.end()) {
        for (auto entry = known->second.rbegin(); entry != known->second.rend(); ++entry)
            all.push_back({{"id", std::to_string(entry->id)},
                           {"Type", entry->type},
                           {"Field", entry->type == "Status" ? "Status" : ""},
                           {"Data", entry->subject},
                           {"OldValue", entry->before},
                           {"NewValue", entry->after},
                           {"Creator", user(entry->who)}});
    }
    all.push_back({{"id", "1"}, {"Type", "Create"}, {"Field", ""}, {"Data", ""}, {"Creator", user(creator_of(ticket))}});
    const auto size = static_cast<std::size_t>(std::stoi(parameter(request, "per_page")));
    const auto from = size * static_cast<std::size_t>(std::stoi(parameter(request, "page")) - 1);
    auto items = json::array();
    for (std::size_t i = from; i < std::min(all.size(), from + size); ++i) items.push_back(all[i]);
    return {200, json{{"items", items}}.dump(), {}, {}};
}

/// Those of one ticket that are ours.
SiteAnswer FakeRequestTracker::transactions(const SiteRequest& request) const {
    const int id = std::stoi(parameter(request, "query").substr(std::string{"TicketId = "}.size()));
    auto items = json::array();
    if (const auto known = entries_.find(id); known != entries_.end()) {
        for (const auto& entry : known->second) {
            if (entry.who == account() && items.empty()) items.push_back({{"id", std::to_string(entry.id)}, {"Creator", user(entry.who)}});
        }
    }
    return {200, json{{"items", items}}.dump(), {}, {}};
}

SiteAnswer FakeRequestTracker::parts_of(int transaction) const {
    for (const auto& [ticket, entries] : entries_) {
        const auto entry = std::ranges::find(entries, transaction, &Entry::id);
        if (entry == entries.end()) continue;
        return {200, json{{"items", json::array({{{"Content", entry->words}, {"ContentType", entry->content_type}}})}}.dump(), {}, {}};
    }
    return {404, R"({"message":"Not Found"})", {}, {}};
}

SiteAnswer FakeRequestTracker::answer(const SiteRequest& request) {
    if (!request.headers.contains("authorization") || request.headers.at("authorization") != "token 1-2-three")
        return {401, R"({"message":"Unauthorized"})", {}, {}};
    const auto path = path_of(request).substr(std::string{"/REST/2.0"}.size());
    const auto body = request.body.empty() ? json::object() : json::parse(request.body);
    if (path == "/rt") return {200, R"({"Version":"5.0.3"})", {}, {}};
    if (path == "/queue/SOC") {
        auto fields = json::array();
        if (has_field_) fields.push_back({{"id", "2"}, {"name", "External incident id"}});
        return {200, json{{"Name", "SOC"}, {"TicketCustomFields", fields}}.dump(), {}, {}};
    }
    if (path == "/tickets") return list(request);
    if (path == "/ticket") return create(body);
    if (path == "/transactions") return transactions(request);
    if (path.starts_with("/transaction/")) return parts_of(std::stoi(path.substr(13)));
    if (!path.starts_with("/ticket/")) return {404, R"({"message":"Not Found"})", {}, {}};
    const int id = std::stoi(path.substr(8));
    if (!tickets_.contains(id)) return {404, R"({"message":"Not Found"})", {}, {}};
    auto& ticket = tickets_.at(id);
    if (request.method == "PUT") return body.contains("AddRefersTo") ? relate(id, body) : change(request, id, body);
    if (request.method == "POST") {
        ticket.notes.push_back(body.value("Subject", "") + "\n" + body.value("Content", ""));
        enter(id, {0, path.ends_with("/correspond") ? "Correspond" : "Comment", body.value("Subject", "") + "\n", "correlator", body.value("Content", ""),
                   "text/plain"});
        return {201, R"(["Comments added"])", {}, {}};
    }
    if (path.ends_with("/history")) return history(request, id);
    if (path.ends_with("/attachments")) return {200, json{{"items", json::array({{{"Content", ticket.body}}})}}.dump(), {}, {}};
    SiteAnswer said{200, shown(id, ticket).dump(), {fmt::format("ETag: \"{}\"", ticket.changed)}, {}};
    if (meddling_ > 0) {
        --meddling_;
        ticket.changed = ++clock_;
    }
    return said;
}

}  // namespace catenary::tests
