#include "tests/server/tickets/fake_servicenow.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::tests {

using nlohmann::json;

namespace {

std::string number_of(int id) { return fmt::format("INC{:07}", id); }
int id_from(const std::string& sys_id) { return sys_id.empty() ? 0 : std::stoi(sys_id, nullptr, 16); }

std::string sys_id(int id) { return fmt::format("{:032x}", id); }

SiteAnswer error(int status, const std::string& message, const std::string& detail) {
    return {status, json{{"error", {{"message", message}, {"detail", detail}}}, {"status", "failure"}}.dump(), {}, {}};
}

/// What follows `before` up to the next condition.
std::string after(const std::string& query, const std::string& before) {
    const auto at = query.find(before);
    if (at == std::string::npos) return "";
    const auto from = at + before.size();
    return query.substr(from, query.find('^', from) - from);
}

std::string with_crlf(const std::string& text) {
    std::string lines;
    for (const char c : text) lines += c == '\n' ? std::string{"\r\n"} : std::string{c};
    return lines;
}

}  // namespace

json FakeServiceNow::connector() const {
    return {{"kind", "servicenow"},
            {"url", site_.url() + "/"},
            {"secrets", {{"password", "word"}}},
            {"priorities", {{"high", 1}, {"low", 3}}},
            {"statuses", {{"new", 1}, {"active", 2}, {"closed", 6}}},
            {"resolutions", {{"Duplicate", "benign_positive"}, {"8", "false_positive"}}},
            {"closing", "apply"},
            {"poll", "1s"},
            {"servicenow",
             {{"table", table_}, {"account", "catenary"}, {"close_code", "Resolved by request"}, {"close_codes", {{"true_positive", "Solution provided"}}}}}};
}

void FakeServiceNow::lose_column() {
    const std::lock_guard lock{mutex_};
    has_column_ = false;
}

void FakeServiceNow::drop(const std::string& field) {
    const std::lock_guard lock{mutex_};
    dropped_ = field;
}

void FakeServiceNow::say(int id, const std::string& who, const std::string& words) { say_late(id, who, words, 0); }

void FakeServiceNow::say_late(int id, const std::string& who, const std::string& words, int ago) {
    const std::lock_guard lock{mutex_};
    auto& ticket = tickets_.at(id);
    ticket.changed = ++clock_;
    ticket.said.push_back({next_entry_++, who, words, clock_ - ago});
}

bool FakeServiceNow::tied(int id, int other) const {
    if (parent_of(id) == other || parent_of(other) == id) return true;
    const auto notes = tickets().at(id).notes;
    return std::ranges::any_of(notes, [&](const std::string& note) { return note.find(number_of(other)) != std::string::npos; });
}

void FakeServiceNow::forbid_ties(bool forbids) {
    const std::lock_guard lock{mutex_};
    forbids_ties_ = forbids;
}

void FakeServiceNow::hide_journal(Journal how) {
    const std::lock_guard lock{mutex_};
    journal_ = how;
}

void FakeServiceNow::hide_notes() {
    const std::lock_guard lock{mutex_};
    shows_notes_ = false;
}

void FakeServiceNow::set_parent(int id, int parent) {
    const std::lock_guard lock{mutex_};
    tickets_.at(id).more["parent_incident"] = sys_id(parent);
    tickets_.at(id).changed = ++clock_;
}

void FakeServiceNow::add_foreign(int id) {
    const std::lock_guard lock{mutex_};
    tickets_[id] = {.title = "theirs", .body = "", .marker = "", .status = "1", .priority = "2", .notes = {}, .more = {}};
}

void FakeServiceNow::use_table(const std::string& table) {
    const std::lock_guard lock{mutex_};
    table_ = table;
}

int FakeServiceNow::parent_of(int id) const {
    const auto ticket = tickets().at(id);
    return ticket.more.contains("parent_incident") ? id_from(ticket.more.at("parent_incident")) : 0;
}

void FakeServiceNow::hide_history() {
    const std::lock_guard lock{mutex_};
    tells_history_ = false;
}

std::string FakeServiceNow::sort_of(const SiteRequest& request) const {
    if (request.method == "POST") return "create";
    if (request.method == "PATCH") {
        const auto body = json::parse(request.body);
        if (body.contains("parent_incident")) return "relate";
        return body.contains("description") ? "change" : "note";
    }
    const auto path = path_of(request);
    if (path.ends_with("/sys_audit")) return "history";
    if (path.ends_with("/sys_journal_field")) return "journal";
    if (!path.ends_with("/" + table_)) return "read";
    const auto query = parameter(request, "sysparm_query");
    return query.starts_with("sys_idIN") ? "read" : query.find("STARTSWITH") == std::string::npos ? "find" : "poll";
}

json FakeServiceNow::shown(int id, const Ticket& ticket) const {
    auto time = time_of(ticket.changed);
    time[10] = ' ';
    time.pop_back();
    json record{{"sys_id", sys_id(id)},
                {"number", number_of(id)},
                {"short_description", ticket.title},
                {"description", with_crlf(ticket.body)},
                {"state", ticket.status},
                {"active", ticket.status == "8" ? "false" : "true"},  // what is resolved is still active
                {"impact", ticket.priority},
                {"urgency", ticket.priority},
                {"sys_updated_on", time},
                {"sys_created_by", "catenary"}};
    record["close_code"] = ticket.more.contains("close_code") ? ticket.more.at("close_code") : "";
    record["parent_incident"] = ticket.more.contains("parent_incident") ? ticket.more.at("parent_incident") : "";
    if (has_column_) record["correlation_id"] = ticket.marker;
    return record;
}

json FakeServiceNow::displayed(int id, const Ticket& ticket) const {
    json record{{"sys_id", sys_id(id)}};
    if (!shows_notes_) return record;
    std::string notes;
    for (const auto& said : ticket.said) notes = fmt::format("2026-03-05 00:00:{:02} - {} (Work notes)\n{}\n\n", said.at % 60, said.who, said.words) + notes;
    record["work_notes"] = notes;
    record["comments"] = "";
    return record;
}

SiteAnswer FakeServiceNow::journal(const SiteRequest& request) const {
    if (journal_ == Journal::refused) return error(403, "User Not Authorized", "Failed API level ACL Validation");
    const auto query = parameter(request, "sysparm_query");
    const auto like = after(query, "valueLIKE");
    const int id = id_from(after(query, "element_id="));
    auto said = journal_ == Journal::shown && tickets_.contains(id) ? tickets_.at(id).said : std::vector<Said>{};
    std::erase_if(said, [&](const Said& one) { return one.words.find(like) == std::string::npos; });
    std::ranges::sort(said, [](const Said& a, const Said& b) { return a.at > b.at; });
    const auto from = static_cast<std::size_t>(std::stoi(parameter(request, "sysparm_offset")));
    const auto most = static_cast<std::size_t>(std::stoi(parameter(request, "sysparm_limit")));
    auto entries = json::array();
    for (auto i = from; i < std::min(said.size(), from + most); ++i) {
        auto time = time_of(said[i].at);
        time[10] = ' ';
        time.pop_back();
        entries.push_back({{"sys_id", fmt::format("{:08x}{:024x}", (said[i].id * 7919) % 65'536, said[i].id)},  // in no order
                           {"element_id", sys_id(id)},
                           {"value", with_crlf(said[i].words)},
                           {"sys_created_on", time},
                           {"sys_created_by", said[i].who}});
    }
    return {200, json{{"result", entries}}.dump(), {}, {}};
}

SiteAnswer FakeServiceNow::list(const SiteRequest& request) const {
    const auto query = parameter(request, "sysparm_query");
    const auto listed = after(query, "sys_idIN");
    const auto marker = after(query, "correlation_id=");
    const auto prefix = after(query, "correlation_idSTARTSWITH");
    std::vector<std::pair<int, Ticket>> found;
    for (const auto& [id, ticket] : tickets_) {
        const bool matches = !listed.empty() ? listed.find(sys_id(id)) != std::string::npos
                                             : !has_column_ || (marker.empty() ? ticket.marker.starts_with(prefix) : ticket.marker == marker);
        if (!ticket.deleted && matches) found.emplace_back(id, ticket);
    }
    if (query.find("ORDERBYDESCsys_updated_on") != std::string::npos)
        std::ranges::sort(found, [](const auto& a, const auto& b) { return a.second.changed > b.second.changed; });
    const auto from = static_cast<std::size_t>(std::stoi(parameter(request, "sysparm_offset")));
    const auto most = static_cast<std::size_t>(std::stoi(parameter(request, "sysparm_limit")));
    auto records = json::array();
    for (auto i = from; i < std::min(found.size(), from + most); ++i) records.push_back(shown(found[i].first, found[i].second));
    return {200, json{{"result", records}}.dump(), {}, {}};
}

std::string FakeServiceNow::take(Ticket& ticket, const json& record) {
    const auto given = [&](const char* name, const std::string& old) { return name == dropped_ ? old : record.value(name, old); };
    auto changed = ticket;
    changed.title = given("short_description", ticket.title);
    changed.body = given("description", ticket.body);
    changed.priority = given("urgency", ticket.priority);
    changed.status = given("state", ticket.status);
    if (changed.status != ticket.status) changed.ours = true;
    if (has_column_) changed.marker = given("correlation_id", ticket.marker);
    if (record.contains("close_code")) changed.more["close_code"] = record["close_code"].get<std::string>();
    if (changed.status == "6" && ticket.status != "6" && (!record.contains("close_code") || record.value("close_notes", "").empty()))
        return "Data Policy Exception: The following fields are mandatory: Resolution code, Resolution notes";
    changed.changed = ++clock_;
    for (const auto* field : {"work_notes", "comments"}) {
        if (!record.contains(field) || field == dropped_) continue;
        changed.notes.push_back(record[field].get<std::string>());
        changed.said.push_back({next_entry_++, account(), changed.notes.back(), clock_});
    }
    if (record.contains("parent_incident") && dropped_ != "parent_incident") changed.more["parent_incident"] = record["parent_incident"].get<std::string>();
    ticket = changed;
    return "";
}

SiteAnswer FakeServiceNow::answer(const SiteRequest& request) {
    // printf catenary:word | base64
    if (!request.headers.contains("authorization") || request.headers.at("authorization") != "Basic Y2F0ZW5hcnk6d29yZA==")
        return error(401, "User Not Authenticated", "Required to provide Auth information");
    const auto path = path_of(request).substr(std::string{"/api/now/table/"}.size());
    if (path == "sys_audit") {
        if (!tells_history_) return error(403, "User Not Authorized", "Failed API level ACL Validation");
        const auto key = after(parameter(request, "sysparm_query"), "documentkey=");
        auto lines = json::array();
        for (const auto& [id, ticket] : tickets_) {
            if (sys_id(id) == key) lines.push_back({{"documentkey", key}, {"user", ticket.ours ? "catenary" : "mika"}});
        }
        return {200, json{{"result", lines}}.dump(), {}, {}};
    }
    if (path == "sys_journal_field") return journal(request);
    const auto body = request.body.empty() ? json::object() : json::parse(request.body);
    if (body.contains("parent_incident") && forbids_ties_) return error(403, "Operation Failed", "ACL Exception Update Failed due to security constraints");
    if (path == table_ && request.method == "GET") return list(request);
    if (path == table_) {
        Ticket ticket{
            .title = "", .body = "", .marker = "", .status = "1", .priority = "2", .changed = 0, .ours = true, .deleted = false, .notes = {}, .more = {}};
        if (const auto refused = take(ticket, body); !refused.empty()) return error(403, "Operation Failed", refused);
        const int id = tickets_.empty() ? 1 : tickets_.rbegin()->first + 1;
        tickets_[id] = ticket;
        return {201, json{{"result", shown(id, ticket)}}.dump(), {}, {}};
    }
    if (!path.starts_with(table_ + "/")) return error(400, "Invalid table", path);
    for (auto& [id, ticket] : tickets_) {
        if (path != table_ + "/" + sys_id(id) || ticket.deleted) continue;
        if (request.method == "PATCH") {
            if (const auto refused = take(ticket, body); !refused.empty()) return error(403, "Operation Failed", refused);
        }
        const bool displays = parameter(request, "sysparm_display_value") == "true";
        return {200, json{{"result", displays ? displayed(id, ticket) : shown(id, ticket)}}.dump(), {}, {}};
    }
    return error(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval");
}

}  // namespace catenary::tests
