#include "server/tickets/jira.hpp"

#include "api/http/target.hpp"
#include "api/json/time_json.hpp"
#include "server/tickets/adf.hpp"
#include "server/tickets/hooks.hpp"
#include "server/tickets/jira_issue.hpp"
#include "server/tickets/ticket_note.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::server::tickets {

using api::http::percent_encoded;
using Json = nlohmann::json;
using namespace jira;

namespace {

constexpr int page_size = 100;  // the most that Jira fetches at once
constexpr int most_pages = 50;
constexpr int keys_behind = 20;  // behind the newest key that the search knows: it may not know all before that
constexpr int most_comments = 20;
constexpr std::chrono::minutes search_lag{10};  // how far behind the search may be; seconds as a rule, says Atlassian, and minutes at times

/// {"errorMessages": ["..."], "errors": {"labels": "..."}}
std::string words_of(const Json& body) {
    std::string words;
    const auto add = [&](const std::string& line) { words += (words.empty() ? "" : "; ") + line; };
    for (const auto& line : member(body, "errorMessages")) {
        if (line.is_string()) add(line.get<std::string>());
    }
    const auto& errors = member(body, "errors");
    if (!errors.is_object()) return words;
    for (const auto& [field, line] : errors.items()) {
        if (line.is_string()) add(field + ": " + line.get<std::string>());
    }
    return words;
}

std::string path_of(const std::string& id) { return "/issue/" + id; }

}  // namespace

Jira::Jira(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix, Clock clock)
    : connector_{connector},
      wire_{wire},
      client_{wire, connector.url + "/rest/api/3", {wire.basic_authorization(connector.jira.account, "api_token")}, &words_of},
      marker_prefix_{std::move(marker_prefix)},
      clock_{clock ? std::move(clock) : Clock{[] { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }}} {}

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
    auto fields = Json::array({"summary", "status", "resolution", "priority", "labels", "updated", "creator"});
    const auto found = client_.ask(action, "/issue/bulkfetch", {{"issueIdsOrKeys", names}, {"fields", std::move(fields)}, {"properties", {property_key}}});
    if (!found) return of_no_ticket(found.error());
    const auto& issues = member(*found, "issues");
    return std::vector<Json>{issues.begin(), issues.end()};
}

Remote<bool> Jira::is_linked(const std::string& id, const std::string& marker) {
    const auto found = client_.ask("find", fmt::format("{}/remotelink?globalId={}", path_of(id), percent_encoded(marker)));
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

Remote<Json> Jira::read(const std::string& id) {
    const auto issue = client_.ask("read", fmt::format("{}?fields={}&properties={}", path_of(id), issue_fields, property_key));
    if (!issue) return issue.error();
    if (text_at(*issue, "id") != id) return RemoteFault{RemoteFault::Kind::later, "its reply is not the issue that was asked for"};
    return *issue;
}

Remote<void> Jira::link(const TicketOrder& order, const std::string& id) {
    const auto back = api::tickets::link_back(order.connector, order.story.record.number);
    if (back.empty()) return {};
    const Json wanted{{"globalId", order.marker},
                      {"application", {{"type", "catenary"}, {"name", "Catenary"}}},
                      {"relationship", "is the ticket of"},
                      {"object", {{"url", back}, {"title", fmt::format("Incident {}", order.story.record.number.value())}}}};
    const auto written = client_.write("update", "POST", path_of(id) + "/remotelink", wanted);
    if (!written) return written.error();
    return {};
}

Remote<void> Jira::note(const TicketOrder& order, const std::string& id) {
    const auto line = revision_line(order);
    const auto comments = client_.ask("read", fmt::format("{}/comment?orderBy=-created&maxResults={}", path_of(id), most_comments));
    if (!comments) return comments.error();
    for (const auto& comment : member(*comments, "comments")) {
        if (text_of_adf(member(comment, "body")).find(line + "\n") != std::string::npos) return {};  // it has arrived, and only its reply was lost
    }
    const auto written = client_.write("update", "POST", path_of(id) + "/comment", {{"body", adf_of(note_of(order.story.record) + "\n\n" + line)}});
    if (!written) return written.error();
    return {};
}

Remote<std::string> Jira::bring(const std::string& id, const std::string& word) {
    const auto found = client_.ask("read", path_of(id) + "/transitions");
    if (!found) return found.error();
    const auto transition = transition_to(member(*found, "transitions"), word);
    if (transition.empty()) return fmt::format("no transition of Jira leads to {} from where the issue is", word);
    const auto written = client_.write("update", "POST", path_of(id) + "/transitions", {{"transition", {{"id", transition}}}});
    if (!written) return written.error();
    return std::string{};
}

Remote<RemoteTicket> Jira::read_back(const TicketOrder& order, const std::string& id, bool told, std::string warning) {
    const auto after = read(id);
    if (!after) return after.error();
    auto ticket = ticket_from(*after, connector_.url);
    ticket.status_is_ours = told;
    const auto word = word_of(connector_.statuses, order.story.record.status);
    ticket.warning = std::move(warning);
    if (ticket.warning.empty() && told && !is_status(member(member(*after, "fields"), "status"), word))
        ticket.warning = fmt::format("Jira did not take status {} and has {}", word, ticket.status);
    if (ticket.warning.empty()) ticket.warning = untaken(order, *after);
    if (!ticket.warning.empty()) wire_.blame(ticket.warning);
    return ticket;
}

Remote<RemoteTicket> Jira::create(const TicketOrder& order) {
    auto fields = fields_of(order);
    fields["project"] = {{"key", connector_.jira.project}};
    fields["issuetype"] = {{"name", connector_.jira.issue_type}};
    auto& labels = fields["labels"] = Json::array({tenant_label(), order.marker});
    for (const auto& label : connector_.labels) labels.push_back(label);
    if (!connector_.assignee.empty()) fields["assignee"] = {{"accountId", connector_.assignee}};
    const auto revision = order.story.record.revision;
    Json property{{"key", property_key}, {"value", {{"marker", order.marker}, {"revision", revision}, {"created", revision}}}};
    const auto made = client_.write("create", "POST", "/issue", {{"fields", std::move(fields)}, {"properties", Json::array({std::move(property)})}});
    if (!made) return of_no_ticket(made.error());
    const auto id = text_at(*made, "id");
    if (id.empty()) {
        constexpr auto why = "it answered 2xx without an issue";
        wire_.blame(why);
        return RemoteFault{RemoteFault::Kind::in_doubt, why};
    }
    // From here on it is found again, whatever fails.
    return update(order, id);
}

Remote<RemoteTicket> Jira::update(const TicketOrder& order, const std::string& id) {
    const auto before = read(id);
    if (!before) return before.error();
    const auto revision = std::to_string(order.story.record.revision);
    auto property = property_of(*before);
    if (text_at(property, "revision") != revision) {
        if (!property.is_object()) property = Json::object();
        property["marker"] = order.marker;
        property["revision"] = order.story.record.revision;
        auto added = Json::array();
        for (const auto& label : {tenant_label(), order.marker}) {
            if (!has_label(*before, label)) added.push_back({{"add", label}});
        }
        Json wanted{{"fields", fields_of(order)}, {"properties", Json::array({{{"key", property_key}, {"value", property}}})}};
        if (!added.empty()) wanted["update"] = {{"labels", std::move(added)}};
        const auto written = client_.write("update", "PUT", path_of(id), wanted);
        if (!written) return written.error();
    }
    if (const auto linked = link(order, id); !linked) return linked.error();
    // What it was made with needs no note.
    if (text_at(property, "created") != revision) {
        if (const auto noted = note(order, id); !noted) return noted.error();
    }
    const auto word = word_of(connector_.statuses, order.story.record.status);
    const bool changed = order.told_status != engine::to_string(order.story.record.status);
    const bool told = !word.empty() && changed && !is_status(member(member(*before, "fields"), "status"), word);
    std::string warning;
    if (told) {
        auto brought = bring(id, word);
        if (!brought) return brought.error();
        warning = *std::move(brought);
    }
    return read_back(order, id, told, std::move(warning));
}

Remote<RemoteTicket> Jira::deliver(const TicketOrder& order) {
    if (!order.external_id.empty()) return update(order, order.external_id);
    auto found = find(order.marker);
    if (found && found->empty()) found = find_recent(order.marker);
    if (!found) return found.error();
    if (found->empty()) return create(order);
    auto ticket = update(order, text_at(found->front(), "id"));
    if (ticket && found->size() > 1) ticket->warning = fmt::format("{} issues carry the mark of this incident; the oldest is its ticket", found->size());
    return ticket;
}

Remote<std::string> Jira::test() {
    const auto account = client_.ask("test", "/myself");
    if (!account) return of_no_ticket(account.error());
    const auto project = client_.ask("test", "/project/" + connector_.jira.project);
    if (!project) {
        if (project.error().kind != RemoteFault::Kind::gone) return project.error();
        return RemoteFault{RemoteFault::Kind::permanent, fmt::format("there is no project {} that this account may see", connector_.jira.project)};
    }
    const auto& types = member(*project, "issueTypes");
    if (!std::ranges::any_of(types, [&](const Json& type) { return text_at(type, "name") == connector_.jira.issue_type; }))
        return RemoteFault{RemoteFault::Kind::permanent, fmt::format("project {} has no issue type {}", connector_.jira.project, connector_.jira.issue_type)};
    const auto none = find(marker_prefix_ + "0");
    if (!none) return none.error();
    return fmt::format("signed in as {}; project {} is there", wire_.shown(text_at(*account, "displayName")), connector_.jira.project);
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

Remote<bool> Jira::set_by_us(const RemoteTicket& ticket) {
    const auto issue = read(ticket.id);
    if (!issue) return issue.error();
    const auto us = text_at(member(member(*issue, "fields"), "creator"), "accountId");  // ours are the issues that we made
    auto setter = us;
    std::string next;
    for (int page = 0; page < most_pages; ++page) {
        Json question{{"issueIdsOrKeys", {ticket.id}}, {"fieldIds", {"status"}}, {"maxResults", page_size}};
        if (!next.empty()) question["nextPageToken"] = next;
        const auto found = client_.ask("read", "/changelog/bulkfetch", question);
        if (!found) return of_no_ticket(found.error());
        for (const auto& log : member(*found, "issueChangeLogs")) {
            for (const auto& change : member(log, "changeHistories")) setter = text_at(member(change, "author"), "accountId");  // the oldest first
        }
        next = text_at(*found, "nextPageToken");
        if (next.empty()) break;
    }
    return !us.empty() && setter == us;
}

std::optional<engine::Result<HookNews>> Jira::parse_hook(const api::tickets::HookMessage& message, std::int64_t) const {
    return jira_hook(wire_.hook_secrets(), message);
}

Remote<RemoteTicket> Jira::look(const std::string& id) {
    const auto issue = read(id);
    if (!issue) return issue.error();
    return ticket_from(*issue, connector_.url);
}

}  // namespace catenary::server::tickets
