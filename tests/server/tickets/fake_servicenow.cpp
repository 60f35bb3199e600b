#include "tests/server/tickets/fake_servicenow.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::tests {

using nlohmann::json;

namespace {

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
    return {
        {"kind", "servicenow"},
        {"url", site_.url() + "/"},
        {"secrets", {{"password", "word"}}},
        {"priorities", {{"high", 1}, {"low", 3}}},
        {"statuses", {{"new", 1}, {"active", 2}, {"closed", 6}}},
        {"resolutions", {{"Duplicate", "benign_positive"}, {"8", "false_positive"}}},
        {"closing", "apply"},
        {"poll", "1s"},
        {"servicenow",
         {{"table", "incident"}, {"account", "catenary"}, {"close_code", "Resolved by request"}, {"close_codes", {{"true_positive", "Solution provided"}}}}}};
}

void FakeServiceNow::lose_column() {
    const std::lock_guard lock{mutex_};
    has_column_ = false;
}

void FakeServiceNow::drop(const std::string& field) {
    const std::lock_guard lock{mutex_};
    dropped_ = field;
}

void FakeServiceNow::hide_history() {
    const std::lock_guard lock{mutex_};
    tells_history_ = false;
}

std::string FakeServiceNow::sort_of(const SiteRequest& request) const {
    if (request.method == "POST") return "create";
    if (request.method == "PATCH") return "change";
    const auto path = path_of(request);
    if (path.ends_with("/sys_audit")) return "history";
    if (!path.ends_with("/incident")) return "read";
    return parameter(request, "sysparm_query").find("STARTSWITH") == std::string::npos ? "find" : "poll";
}

json FakeServiceNow::shown(int id, const Ticket& ticket) const {
    auto time = time_of(ticket.changed);
    time[10] = ' ';
    time.pop_back();
    json record{{"sys_id", sys_id(id)},
                {"number", fmt::format("INC{:07}", id)},
                {"short_description", ticket.title},
                {"description", with_crlf(ticket.body)},
                {"state", ticket.status},
                {"active", ticket.status == "8" ? "false" : "true"},  // what is resolved is still active
                {"impact", ticket.priority},
                {"urgency", ticket.priority},
                {"sys_updated_on", time},
                {"sys_created_by", "catenary"}};
    record["close_code"] = ticket.more.contains("close_code") ? ticket.more.at("close_code") : "";
    if (has_column_) record["correlation_id"] = ticket.marker;
    return record;
}

SiteAnswer FakeServiceNow::list(const SiteRequest& request) const {
    const auto query = parameter(request, "sysparm_query");
    const auto marker = after(query, "correlation_id=");
    const auto prefix = after(query, "correlation_idSTARTSWITH");
    std::vector<std::pair<int, Ticket>> found;
    for (const auto& [id, ticket] : tickets_) {
        const bool matches = !has_column_ || (marker.empty() ? ticket.marker.starts_with(prefix) : ticket.marker == marker);
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
    if (record.contains("work_notes")) changed.notes.push_back(record["work_notes"].get<std::string>());
    changed.changed = ++clock_;
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
    const auto body = request.body.empty() ? json::object() : json::parse(request.body);
    if (path == "incident" && request.method == "GET") return list(request);
    if (path == "incident") {
        Ticket ticket{
            .title = "", .body = "", .marker = "", .status = "1", .priority = "2", .changed = 0, .ours = true, .deleted = false, .notes = {}, .more = {}};
        if (const auto refused = take(ticket, body); !refused.empty()) return error(403, "Operation Failed", refused);
        const int id = tickets_.empty() ? 1 : tickets_.rbegin()->first + 1;
        tickets_[id] = ticket;
        return {201, json{{"result", shown(id, ticket)}}.dump(), {}, {}};
    }
    if (!path.starts_with("incident/")) return error(400, "Invalid table", path);
    for (auto& [id, ticket] : tickets_) {
        if (path != "incident/" + sys_id(id) || ticket.deleted) continue;
        if (request.method == "PATCH") {
            if (const auto refused = take(ticket, body); !refused.empty()) return error(403, "Operation Failed", refused);
        }
        return {200, json{{"result", shown(id, ticket)}}.dump(), {}, {}};
    }
    return error(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval");
}

}  // namespace catenary::tests
