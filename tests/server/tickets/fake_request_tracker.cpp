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

json user(const char* name) { return {{"id", name}, {"type", "user"}}; }

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
    if (path == "/REST/2.0/tickets") return parameter(request, "query").find("STARTSWITH") == std::string::npos ? "find" : "poll";
    if (path == "/REST/2.0/ticket") return "create";
    if (request.method == "PUT") return "change";
    if (request.method == "POST") return "note";
    return path.starts_with("/REST/2.0/ticket/") ? "read" : "test";
}

json FakeRequestTracker::shown(int id, const Ticket& ticket) const {
    auto fields = json::array();
    if (has_field_) fields.push_back({{"id", "2"}, {"name", "External incident id"}, {"values", json::array({ticket.marker})}});
    return {{"id", id},
            {"Subject", ticket.title},
            {"Status", ticket.deleted ? "deleted" : ticket.status},
            {"Priority", ticket.priority},
            {"Owner", user("Nobody")},
            {"Creator", user("correlator")},
            {"CustomFields", fields},
            {"Due", "1970-01-01T00:00:00Z"},
            {"LastUpdated", time_of(ticket.changed)}};
}

SiteAnswer FakeRequestTracker::list(const SiteRequest& request) const {
    const auto query = parameter(request, "query");
    const auto marker = quoted_after(query, "CF.{External incident id} =");
    const auto prefix = quoted_after(query, "CF.{External incident id} STARTSWITH");
    const auto group = quoted_after(query, "Status =");
    std::vector<std::pair<int, Ticket>> found;
    for (const auto& [id, ticket] : tickets_) {
        if (ticket.deleted || !has_field_) continue;
        if (query.starts_with("id = ") && !query.starts_with(fmt::format("id = {} ", id))) continue;
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
        ticket.status = status;
    } else {
        said.push_back(fmt::format("Ticket {}: Status '{}' isn't a valid status for this ticket.", id, status));
    }
    ticket.changed = ++clock_;
    return {200, said.dump(), {}, {}};
}

SiteAnswer FakeRequestTracker::history(const Ticket& ticket) const {
    auto items = json::array();
    for (auto note = ticket.notes.rbegin(); note != ticket.notes.rend(); ++note)
        items.push_back({{"Type", "Comment"}, {"Data", note->substr(0, note->find('\n')) + "\n"}, {"Creator", user("correlator")}});
    items.push_back({{"Type", "Status"}, {"Field", "Status"}, {"Data", ""}, {"Creator", user(ticket.ours ? "correlator" : "mika")}});
    return {200, json{{"items", items}}.dump(), {}, {}};
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
    if (!path.starts_with("/ticket/")) return {404, R"({"message":"Not Found"})", {}, {}};
    const int id = std::stoi(path.substr(8));
    if (!tickets_.contains(id)) return {404, R"({"message":"Not Found"})", {}, {}};
    auto& ticket = tickets_.at(id);
    if (request.method == "PUT") return change(request, id, body);
    if (request.method == "POST") {
        ticket.notes.push_back(body.value("Subject", "") + "\n" + body.value("Content", ""));
        ticket.changed = ++clock_;
        return {201, R"(["Comments added"])", {}, {}};
    }
    if (path.ends_with("/history")) return history(ticket);
    if (path.ends_with("/attachments")) return {200, json{{"items", json::array({{{"Content", ticket.body}}})}}.dump(), {}, {}};
    SiteAnswer said{200, shown(id, ticket).dump(), {fmt::format("ETag: \"{}\"", ticket.changed)}, {}};
    if (meddling_ > 0) {
        --meddling_;
        ticket.changed = ++clock_;
    }
    return said;
}

}  // namespace catenary::tests
