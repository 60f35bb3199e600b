#include "tests/server/tickets/fake_jira.hpp"

#include "server/tickets/adf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace catenary::tests {

using nlohmann::json;

namespace {

constexpr int first_id = 10'000;

struct State {
    const char* name;
    const char* category;
    const char* transition;
};
constexpr std::array<State, 3> states{{{"To Do", "new", "11"}, {"In Progress", "indeterminate", "21"}, {"Done", "done", "31"}}};

json status_of(const std::string& name) {
    for (const auto& state : states) {
        if (name == state.name) return {{"name", name}, {"statusCategory", {{"key", state.category}}}};
    }
    return {{"name", name}, {"statusCategory", {{"key", "undefined"}}}};
}

/// Of the clock of the fake, as Jira writes it.
std::string moment(int clock) { return fmt::format("2026-03-05T{:02}:{:02}:{:02}.000+0100", clock / 3600 + 1, clock / 60 % 60, clock % 60); }

std::string joined(const json& labels) {
    std::string text = " ";
    for (const auto& label : labels) text += label.get<std::string>() + " ";
    return text;
}

bool has(const std::string& labels, const std::string& label) { return labels.find(" " + label + " ") != std::string::npos; }

/// What stands in quotation marks after `before`.
std::string quoted_after(const std::string& jql, const std::string& before) {
    const auto at = jql.find(before + "\"");
    if (at == std::string::npos) return "";
    const auto from = at + before.size() + 1;
    return jql.substr(from, jql.find('"', from) - from);
}

SiteAnswer error(int status, const char* words) { return {status, json{{"errorMessages", {words}}, {"errors", json::object()}}.dump(), {}, {}}; }

}  // namespace

json FakeJira::connector() const {
    return {{"kind", "jira"},
            {"url", site_.url() + "/"},
            {"secrets", {{"api_token", "word"}}},
            {"priorities", {{"high", "High"}, {"low", "Low"}}},
            {"statuses", {{"new", "new"}, {"active", "indeterminate"}, {"closed", "done"}}},
            {"resolutions", {{"Won't Do", "false_positive"}, {"Done", "true_positive"}}},
            {"labels", {"soc"}},
            {"console", "https://catenary.example"},
            {"closing", "apply"},
            {"poll", "1s"},
            {"jira", {{"project", "SOC"}, {"issue_type", "Task"}, {"account", "bot@corp.example"}}}};
}

std::string FakeJira::word_for(const std::string& status) const { return status == "active" ? "In Progress" : status == "closed" ? "Done" : "To Do"; }

void FakeJira::lag(int searches) {
    const std::lock_guard lock{mutex_};
    lag_ = searches;
    searches_until_ = searches;
}

void FakeJira::drop(const std::string& what) {
    const std::lock_guard lock{mutex_};
    dropped_ = what;
}

void FakeJira::bar(const std::string& category) {
    const std::lock_guard lock{mutex_};
    barred_ = category;
}

void FakeJira::remove_label(int id) {
    const std::lock_guard lock{mutex_};
    tickets_.at(id).more["labels"] = " ";
    indexed_ = tickets_;
}

void FakeJira::say(int id, const std::string& who, const std::string& words) { say_late(id, who, words, 0); }

void FakeJira::say_late(int id, const std::string& who, const std::string& words, int ago, bool hidden) {
    const std::lock_guard lock{mutex_};
    auto& ticket = tickets_.at(id);
    ticket.changed = ++clock_;
    next_comment_ += ticket.said.size() % 2 == 0 ? 100 : -50;
    ticket.said.push_back({next_comment_, who, words, clock_ - ago, hidden});
}

void FakeJira::forbid_ties(bool forbids) {
    const std::lock_guard lock{mutex_};
    forbids_ties_ = forbids;
}

void FakeJira::have_types(std::vector<std::string> types) {
    const std::lock_guard lock{mutex_};
    types_ = std::move(types);
}

std::string FakeJira::sort_of(const SiteRequest& request) const {
    const auto path = path_of(request).substr(std::string{"/rest/api/3"}.size());
    if (path == "/search/jql") return request.body.find("ORDER BY updated") == std::string::npos ? "find" : "poll";
    if (path == "/issue/bulkfetch") return "fetch";
    if (path == "/issue") return "create";
    if (path == "/issueLink") return "relate";
    if (request.method == "PUT") return "change";
    if (request.method == "POST")
        return path.ends_with("/comment") ? "note" : path.ends_with("/transitions") ? "transition" : path.ends_with("/remotelink") ? "link" : "read";
    return path.starts_with("/issue/") ? "read" : "test";
}

json FakeJira::shown(int id, const Ticket& ticket) const {
    auto labels = json::array();
    std::string word;
    for (const char c : ticket.more.at("labels")) {
        if (c != ' ') word += c;
        else if (!word.empty()) labels.push_back(std::exchange(word, ""));
    }
    json resolution;
    if (ticket.status == "Done") resolution = {{"name", ticket.ours ? "Done" : "Won't Do"}};
    json issue{{"id", std::to_string(first_id + id)},
               {"key", fmt::format("SOC-{}", id)},
               {"fields",
                {{"summary", ticket.title},
                 {"status", status_of(ticket.status)},
                 {"resolution", resolution},
                 {"priority", {{"id", "2"}, {"name", ticket.priority}}},
                 {"labels", labels},
                 {"creator", {{"accountId", "us"}}},
                 {"updated", moment(ticket.changed)}}}};
    auto links = json::array();
    for (const auto& [other, how] : ticket.links)
        links.push_back(
            {{"type", {{"name", how.substr(1)}}}, {how.front() == '>' ? "outwardIssue" : "inwardIssue", {{"id", std::to_string(first_id + other)}}}});
    issue["fields"]["issuelinks"] = std::move(links);
    if (ticket.more.contains("property")) issue["properties"] = {{"catenary", json::parse(ticket.more.at("property"))}};
    return issue;
}

void FakeJira::take(Ticket& ticket, const json& wanted) {
    const auto& fields = wanted["fields"];
    ticket.title = fields.value("summary", ticket.title);
    if (fields.contains("description")) ticket.body = server::tickets::text_of_adf(fields["description"]);
    if (fields.contains("priority") && dropped_ != "priority") ticket.priority = fields["priority"]["name"].get<std::string>();
    for (const auto& property : wanted.value("properties", json::array())) {
        if (dropped_ != "properties" && dropped_ != "everything") ticket.more["property"] = property["value"].dump();
        if (property["value"].contains("marker")) ticket.marker = property["value"]["marker"].get<std::string>();
    }
    ticket.changed = ++clock_;
    searches_until_ = lag_;
}

SiteAnswer FakeJira::create(const json& wanted) {
    if (wanted["fields"]["issuetype"]["name"] != "Task") return {400, R"({"errorMessages":[],"errors":{"issuetype":"Specify a valid issue type"}})", {}, {}};
    const int id = tickets_.empty() ? 1 : tickets_.rbegin()->first + 1;
    Ticket ticket;
    ticket.status = "To Do";
    ticket.priority = "Medium";
    ticket.more["labels"] = dropped_ == "everything" ? " " : joined(wanted["fields"]["labels"]);
    take(ticket, wanted);
    tickets_[id] = ticket;
    return {201, json{{"id", std::to_string(first_id + id)}, {"key", fmt::format("SOC-{}", id)}}.dump(), {}, {}};
}

SiteAnswer FakeJira::change(Ticket& ticket, const json& wanted) {
    take(ticket, wanted);
    for (const auto& operation : wanted.value("update", json::object()).value("labels", json::array())) {
        if (dropped_ != "everything") ticket.more["labels"] += operation["add"].get<std::string>() + " ";
    }
    return {204, "", {}, {}};
}

SiteAnswer FakeJira::search(const json& question) {
    if (searches_until_ > 0) --searches_until_;
    else indexed_ = tickets_;
    const auto jql = question["jql"].get<std::string>();
    const auto label = quoted_after(jql, "labels = ");
    const auto linked = quoted_after(jql, "issuesWithRemoteLinksByGlobalId(");
    std::vector<std::pair<int, Ticket>> found;
    for (const auto& [id, ticket] : indexed_) {
        const bool links = !linked.empty() && ticket.more.contains("link") && ticket.more.at("link") == linked;
        if (!ticket.deleted && (label.empty() || has(ticket.more.at("labels"), label) || links)) found.emplace_back(id, ticket);
    }
    if (jql.find("ORDER BY updated ASC") != std::string::npos)
        std::ranges::sort(found, [](const auto& a, const auto& b) { return a.second.changed < b.second.changed; });
    if (jql.find("ORDER BY created DESC") != std::string::npos) std::ranges::reverse(found);
    const auto most = std::min<std::size_t>(question["maxResults"].get<std::size_t>(), 3);  // pages may be smaller than asked for
    const auto from = question.contains("nextPageToken") ? static_cast<std::size_t>(std::stoi(question["nextPageToken"].get<std::string>())) : 0;
    auto issues = json::array();
    for (auto i = from; i < std::min(found.size(), from + most); ++i) issues.push_back({{"id", std::to_string(first_id + found[i].first)}});
    json page{{"issues", issues}, {"isLast", from + most >= found.size()}};
    if (from + most < found.size()) page["nextPageToken"] = std::to_string(from + most);
    return {200, page.dump(), {}, {}};
}

SiteAnswer FakeJira::fetch(const json& question) const {
    const auto& names = question["issueIdsOrKeys"];
    if (names.size() > 100) return error(400, "at most 100 issues");
    auto issues = json::array();
    for (const auto& [id, ticket] : tickets_) {
        const auto is_named = [&](const json& name) { return name == std::to_string(first_id + id) || name == fmt::format("SOC-{}", id); };
        if (!ticket.deleted && std::ranges::any_of(names, is_named)) issues.push_back(shown(id, ticket));
    }
    return {200, json{{"issues", issues}, {"issueErrors", json::array()}}.dump(), {}, {}};
}

SiteAnswer FakeJira::link(const json& wanted) {
    // As it answers whom it does not let link, and where links are switched off.
    if (forbids_ties_) return error(401, "No Link Issue Permission for issue");
    if (types_.empty()) return error(404, "Issue linking is currently disabled.");
    const auto type = wanted["type"]["name"].get<std::string>();
    if (std::ranges::find(types_, type) == types_.end()) return error(404, "No issue link type with name found.");
    const int inward = std::stoi(wanted["inwardIssue"]["id"].get<std::string>()) - first_id;
    const int outward = std::stoi(wanted["outwardIssue"]["id"].get<std::string>()) - first_id;
    for (const int id : {inward, outward}) {
        if (!tickets_.contains(id) || tickets_.at(id).deleted) return error(404, "Issue does not exist or you do not have permission to see it.");
    }
    tickets_.at(inward).links[outward] = ">" + type;
    tickets_.at(outward).links[inward] = "<" + type;
    tickets_.at(inward).changed = tickets_.at(outward).changed = ++clock_;
    return {201, "", {}, {}};
}

SiteAnswer FakeJira::comments(const SiteRequest& request, const Ticket& ticket) const {
    auto said = ticket.said;
    std::ranges::sort(said, [](const Said& a, const Said& b) { return a.at > b.at; });
    const auto from = static_cast<std::size_t>(std::stoi(parameter(request, "startAt")));
    const auto most = std::min<std::size_t>(static_cast<std::size_t>(std::stoi(parameter(request, "maxResults"))), 50);
    auto comments = json::array();
    for (auto i = from; i < std::min(said.size(), from + most); ++i) {
        const auto& one = said[i];
        json comment{{"id", std::to_string(one.id)},
                     {"author", {{"accountId", one.who}, {"displayName", one.who}}},
                     {"body", server::tickets::adf_of(one.words)},
                     {"created", moment(one.at)}};
        if (one.hidden) comment["visibility"] = {{"type", "role"}, {"value", "Administrators"}};
        comments.push_back(std::move(comment));
    }
    return {200, json{{"startAt", from}, {"total", said.size()}, {"comments", comments}}.dump(), {}, {}};
}

SiteAnswer FakeJira::of_issue(const SiteRequest& request, int id, const std::string& what, const json& body) {
    if (!tickets_.contains(id) || tickets_.at(id).deleted) return error(404, "Issue does not exist or you do not have permission to see it.");
    auto& ticket = tickets_.at(id);
    if (what.empty()) return request.method == "PUT" ? change(ticket, body) : SiteAnswer{200, shown(id, ticket).dump(), {}, {}};
    if (what == "remotelink") {
        if (request.method == "GET")
            return ticket.more.contains("link") && ticket.more.at("link") == parameter(request, "globalId") ? SiteAnswer{200, "{}", {}, {}}
                                                                                                            : error(404, "none");
        ticket.more["link"] = body["globalId"].get<std::string>();
        return {201, R"({"id":1})", {}, {}};
    }
    if (what == "comment") {
        if (request.method == "POST") {
            const auto words = server::tickets::text_of_adf(body["body"]);
            if (words.size() > 32'767) return error(400, "CONTENT_LIMIT_EXCEEDED");
            ticket.notes.push_back(words);
            ticket.changed = ++clock_;
            next_comment_ += ticket.said.size() % 2 == 0 ? 100 : -50;
            ticket.said.push_back({next_comment_, account(), words, clock_, false});
            return {201, json{{"id", std::to_string(next_comment_)}}.dump(), {}, {}};
        }
        return comments(request, ticket);
    }
    if (request.method == "GET") {
        auto transitions = json::array();
        for (const auto& state : states) {
            if (ticket.status != state.name && barred_ != state.category) transitions.push_back({{"id", state.transition}, {"to", status_of(state.name)}});
        }
        return {200, json{{"transitions", transitions}}.dump(), {}, {}};
    }
    for (const auto& state : states) {
        if (body["transition"]["id"] != state.transition) continue;
        ticket.status = state.name;
        ticket.ours = true;
        ticket.changed = ++clock_;
        return {204, "", {}, {}};
    }
    return error(400, "It seems that you have tried to perform a workflow operation that is not valid");
}

SiteAnswer FakeJira::answer(const SiteRequest& request) {
    // printf bot@corp.example:word | base64
    if (!request.headers.contains("authorization") || request.headers.at("authorization") != "Basic Ym90QGNvcnAuZXhhbXBsZTp3b3Jk")
        return error(401, "Client must be authenticated to access this resource.");
    const auto path = path_of(request).substr(std::string{"/rest/api/3"}.size());
    const auto body = request.body.empty() ? json::object() : json::parse(request.body);
    if (path == "/myself") return {200, R"({"accountId":"us","displayName":"Catenary"})", {}, {}};
    if (path == "/project/SOC") return {200, R"({"key":"SOC","issueTypes":[{"name":"Task"}]})", {}, {}};
    if (path == "/search/jql") return search(body);
    if (path == "/issue/bulkfetch") return fetch(body);
    if (path == "/issue") return create(body);
    if (path == "/issueLink") return link(body);
    if (path == "/issueLinkType") {
        auto types = json::array();
        for (const auto& type : types_) types.push_back({{"id", "1"}, {"name", type}});
        return types_.empty() ? error(404, "Issue linking is currently disabled.") : SiteAnswer{200, json{{"issueLinkTypes", types}}.dump(), {}, {}};
    }
    if (path == "/changelog/bulkfetch") {
        const int id = std::stoi(body["issueIdsOrKeys"][0].get<std::string>()) - first_id;
        const json change{{"author", {{"accountId", tickets_.at(id).ours ? "us" : "mika"}}}, {"items", {{{"fieldId", "status"}}}}};
        return {200, json{{"issueChangeLogs", {{{"changeHistories", {change}}}}}}.dump(), {}, {}};
    }
    if (!path.starts_with("/issue/")) return error(404, "No such resource");
    const auto rest = path.substr(7);
    const auto slash = rest.find('/');
    return of_issue(request, std::stoi(rest.substr(0, slash)) - first_id, slash == std::string::npos ? "" : rest.substr(slash + 1), body);
}

}  // namespace catenary::tests
