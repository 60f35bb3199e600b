#include "api/http/target.hpp"
#include "api/json/time_json.hpp"
#include "server/tickets/jira.hpp"
#include "server/tickets/jira_issue.hpp"

#include <fmt/format.h>

#include <algorithm>

// How issues are found again, although the search is behind.

namespace catenary::server::tickets {

using api::http::percent_encoded;
using Json = nlohmann::json;
using namespace jira;

namespace {

constexpr int page_size = 100;  // the most that Jira fetches at once
constexpr int most_pages = 50;
constexpr int keys_behind = 20;                 // behind the newest key that the search knows: it may not know all before that
constexpr std::chrono::minutes search_lag{10};  // how far behind the search may be; seconds as a rule, says Atlassian, and minutes at times

}  // namespace

/// What all issues of the tenant are labelled with: a search for labels knows no beginnings.
std::string Jira::tenant_label() const { return marker_prefix_.substr(0, marker_prefix_.size() - 1); }

Remote<Json> Jira::search(std::string_view action, const std::string& jql, int most, const std::string& next) {
    Json question{{"jql", jql}, {"maxResults", most}, {"fields", Json::array({"id"})}};
    if (!next.empty()) question["nextPageToken"] = next;
    const auto found = client_.ask(action, "/search/jql", question);
    if (!found) return of_no_ticket(found.error());
    return *found;
}

Remote<std::vector<Json>> Jira::fetch(std::string_view action, const std::vector<std::string>& names) {
    if (names.empty()) return std::vector<Json>{};
    auto fields = Json::array({"summary", "status", "resolution", "priority", "labels", "updated"});
    const auto found = client_.ask(action, "/issue/bulkfetch", {{"issueIdsOrKeys", names}, {"fields", std::move(fields)}, {"properties", {property_key}}});
    if (!found) return of_no_ticket(found.error());
    const auto& issues = member(*found, "issues");
    return std::vector<Json>{issues.begin(), issues.end()};
}

Remote<bool> Jira::is_linked(const std::string& id, const std::string& marker) {
    const auto found = client_.ask("find", fmt::format("/issue/{}/remotelink?globalId={}", id, percent_encoded(marker)));
    if (found) return true;
    if (found.error().kind == RemoteFault::Kind::gone) return false;
    return found.error();
}

Remote<std::vector<Json>> Jira::find(const std::string& marker) {
    auto jql = fmt::format("project = \"{}\" AND labels = \"{}\"", connector_.jira.project, marker);
    if (!connector_.console.empty()) {
        jql =
            fmt::format("project = \"{}\" AND (labels = \"{}\" OR issue in issuesWithRemoteLinksByGlobalId(\"{}\"))", connector_.jira.project, marker, marker);
    }
    const auto found = search("find", jql + " ORDER BY created ASC", 5);
    if (!found) return found.error();
    std::vector<std::string> ids;
    for (const auto& issue : member(*found, "issues")) ids.push_back(text_at(issue, "id"));
    auto issues = fetch("find", ids);
    if (!issues) return issues.error();
    std::vector<Json> ours;
    for (auto& issue : *issues) {
        if (!carries(issue, marker)) {  // somebody took the label away, or the search is behind
            const auto linked = is_linked(text_at(issue, "id"), marker);
            if (!linked) return linked.error();
            if (!*linked) continue;
        }
        ours.push_back(std::move(issue));
    }
    return ours;
}

Remote<std::vector<Json>> Jira::find_recent(const std::string& marker) {
    const auto found = search("find", fmt::format("project = \"{}\" ORDER BY created DESC", connector_.jira.project), 1);
    if (!found) return found.error();
    const auto& newest = member(*found, "issues");
    std::int64_t known = 0;
    if (newest.is_array() && !newest.empty()) {
        const auto shown = fetch("find", {text_at(newest.front(), "id")});
        if (!shown) return shown.error();
        const auto key = shown->empty() ? std::string{} : text_at(shown->front(), "key");
        known = number_from(key.substr(std::min(key.size(), key.rfind('-') + 1)));
    }
    std::vector<std::string> keys;
    const auto from = std::max<std::int64_t>(1, known - keys_behind + 1);
    for (int i = 0; i < page_size; ++i) keys.push_back(fmt::format("{}-{}", connector_.jira.project, from + i));
    auto recent = fetch("find", keys);
    if (!recent) return recent.error();
    std::erase_if(*recent, [&](const Json& issue) { return !carries(issue, marker); });
    return recent;
}

Remote<std::vector<RemoteTicket>> Jira::changes_since(const std::string& seen) {
    std::string since;
    if (const auto time = api::json::parse_time(seen)) {
        // A time in a search is one of the account's own zone; a span is the same everywhere.
        const auto span = std::chrono::ceil<std::chrono::minutes>(std::max(clock_() - *time, engine::Duration{0})) + search_lag;
        since = fmt::format(" AND updated >= \"-{}m\"", span.count());
    }
    const auto jql = fmt::format("project = \"{}\" AND labels = \"{}\"{} ORDER BY updated ASC", connector_.jira.project, tenant_label(), since);
    std::vector<RemoteTicket> changed;
    std::string next;
    for (int page = 0; page < most_pages; ++page) {
        const auto found = search("poll", jql, page_size, next);
        if (!found) return found.error();
        std::vector<std::string> ids;
        for (const auto& issue : member(*found, "issues")) ids.push_back(text_at(issue, "id"));
        const auto issues = fetch("poll", ids);
        if (!issues) return issues.error();
        for (const auto& issue : *issues) changed.push_back(ticket_from(issue, connector_.url));
        next = text_at(*found, "nextPageToken");
        if (next.empty() || member(*found, "isLast") == true) break;
    }
    std::ranges::stable_sort(changed, {}, &RemoteTicket::seen);
    return changed;
}

}  // namespace catenary::server::tickets
