#include "tests/server/tickets/fake_redmine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace catenary::tests {

using nlohmann::json;

namespace {

std::string time_of(int clock) { return fmt::format("2026-03-05T{:02}:{:02}:{:02}Z", clock / 3600, clock / 60 % 60, clock % 60); }

/// "cf_1=~catenary-…-" or "cf_1=catenary-…-17"
std::string parameter(const std::string& target, const std::string& name) {
    const auto at = target.find(name + "=");
    if (at == std::string::npos) return "";
    const auto from = at + name.size() + 1;
    return target.substr(from, target.find('&', from) - from);
}

}  // namespace

FakeRedmine::FakeRedmine() : site_{[this](const SiteRequest& request) { return answer(request); }} {}

std::map<int, FakeRedmine::Issue> FakeRedmine::issues() const {
    const std::lock_guard lock{mutex_};
    return issues_;
}

void FakeRedmine::set_status(int id, int status) {
    const std::lock_guard lock{mutex_};
    issues_.at(id).status = status;
    issues_.at(id).journals.push_back({next_journal_++, "somebody", "", false, true});
    issues_.at(id).updated = ++clock_;
}

void FakeRedmine::remove(int id) {
    const std::lock_guard lock{mutex_};
    issues_.erase(id);
}

void FakeRedmine::say(int id, const std::string& author, const std::string& text, bool is_private) {
    const std::lock_guard lock{mutex_};
    issues_.at(id).journals.push_back({next_journal_++, author, text, is_private, false});
    issues_.at(id).updated = ++clock_;
}

void FakeRedmine::forbid_relations(bool forbidden) {
    const std::lock_guard lock{mutex_};
    relations_forbidden_ = forbidden;
}

void FakeRedmine::hold_replies(bool held) { held_ = held; }

void FakeRedmine::set_author(int id, int user) {
    const std::lock_guard lock{mutex_};
    issues_.at(id).author = user;
}

void FakeRedmine::lose_replies(const std::string& method, int count) {
    const std::lock_guard lock{mutex_};
    lost_[method] = count;
}

void FakeRedmine::refuse(const std::string& method, int count, SiteAnswer answer) {
    const std::lock_guard lock{mutex_};
    refused_[method] = {count, std::move(answer)};
}

void FakeRedmine::ignore_filters(bool ignored) {
    const std::lock_guard lock{mutex_};
    filters_ignored_ = ignored;
}

json FakeRedmine::shown(int id, const Issue& issue) const {
    return {{"id", id},
            {"subject", issue.subject},
            {"description", issue.description},
            {"status", {{"id", issue.status}, {"name", "s"}, {"is_closed", issue.status == 5 || issue.status == 6}}},
            {"priority", {{"id", issue.priority}}},
            {"author", {{"id", issue.author}}},
            {"custom_fields", json::array({{{"id", 1}, {"name", "External incident id"}, {"value", issue.marker}}})},
            {"updated_on", time_of(issue.updated)}};
}

SiteAnswer FakeRedmine::list(const std::string& target) const {
    auto filter = parameter(target, "cf_1");
    const bool part = filter.starts_with("~");
    if (part) filter.erase(0, 1);
    auto since = parameter(target, "updated_on");
    if (!since.empty()) since.erase(0, 6);  // "%3E%3D"
    json found = json::array();
    for (const auto& [id, issue] : issues_) {
        const bool matches = filters_ignored_ || (part ? issue.marker.find(filter) != std::string::npos : issue.marker == filter);
        if (matches && time_of(issue.updated) >= since) found.push_back(shown(id, issue));
    }
    return {200, json{{"issues", found}}.dump(), {}, {}};
}

SiteAnswer FakeRedmine::create(const json& wanted) {
    Issue issue;
    issue.subject = wanted.value("subject", "");
    issue.description = wanted.value("description", "");
    issue.status = wanted.value("status_id", 1);
    issue.priority = wanted.value("priority_id", 2);
    issue.updated = ++clock_;
    if (wanted.value("project_id", "") != "soc") return {422, R"({"errors":["Project cannot be blank"]})", {}, {}};
    if (issue.subject.empty()) return {422, R"({"errors":["Subject cannot be blank"]})", {}, {}};
    for (const auto& field : wanted.value("custom_fields", json::array())) {
        if (field["id"] == 1) issue.marker = field["value"].get<std::string>();
    }
    if (issue.status < 1 || issue.status > 6) issue.status = 1;
    const int id = next_++;
    issues_[id] = issue;
    return {201, json{{"issue", shown(id, issue)}}.dump(), {}, {}};
}

SiteAnswer FakeRedmine::update(int id, const json& wanted) {
    if (!issues_.contains(id)) return {404, "", {}, {}};
    auto& issue = issues_.at(id);
    issue.subject = wanted.value("subject", issue.subject);
    issue.description = wanted.value("description", issue.description);
    issue.priority = wanted.value("priority_id", issue.priority);
    bool sets_status = false;
    if (const auto status = wanted.value("status_id", issue.status); status >= 1 && status <= 6) sets_status = std::exchange(issue.status, status) != status;
    if (wanted.contains("notes")) {
        issue.notes.push_back(wanted["notes"].get<std::string>());
        issue.journals.push_back({next_journal_++, "correlator", issue.notes.back(), false, sets_status});
    } else {
        issue.journals.push_back({next_journal_++, "correlator", "", false, sets_status});  // of what changed
    }
    issue.updated = ++clock_;
    return {204, "", {}, {}};
}

SiteAnswer FakeRedmine::relate(int id, const json& wanted) {
    if (!issues_.contains(id)) return {404, "", {}, {}};
    if (relations_forbidden_) return {403, "", {}, {}};
    const auto& named = wanted.value("issue_to_id", json{});
    const int other = named.is_string() ? std::stoi(named.get<std::string>()) : named.is_number() ? named.get<int>() : 0;
    if (!issues_.contains(other)) return {422, R"({"errors":["Related issue cannot be blank"]})", {}, {}};
    if (!issues_.at(id).relations.insert(other).second) return {422, R"({"errors":["Related issue has already been taken"]})", {}, {}};
    issues_.at(other).relations.insert(id);
    for (const int end : {id, other}) {
        issues_.at(end).journals.push_back({next_journal_++, "correlator", "", false, false});
        issues_.at(end).updated = ++clock_;
    }
    return {201, json{{"relation", {{"id", 1}, {"issue_id", id}, {"issue_to_id", other}, {"relation_type", "relates"}}}}.dump(), {}, {}};
}

SiteAnswer FakeRedmine::show(int id, const std::string& target) const {
    if (!issues_.contains(id)) return {404, "", {}, {}};
    const auto& issue = issues_.at(id);
    auto value = shown(id, issue);
    if (target.find("include=relations") != std::string::npos) {
        value["relations"] = json::array();
        for (const int other : issue.relations)
            value["relations"].push_back({{"issue_id", std::min(id, other)}, {"issue_to_id", std::max(id, other)}, {"relation_type", "relates"}});
    }
    if (target.find("include=journals") != std::string::npos) {
        value["journals"] = json::array();
        for (const auto& journal : issue.journals) {
            value["journals"].push_back({{"id", journal.id},
                                         {"user", {{"id", journal.author == "correlator" ? 7 : 20}, {"name", journal.author}}},
                                         {"notes", journal.text},
                                         {"details", journal.sets_status ? json::array({{{"property", "attr"}, {"name", "status_id"}}}) : json::array()},
                                         {"private_notes", journal.is_private}});
        }
    }
    return {200, json{{"issue", value}}.dump(), {}, {}};
}

SiteAnswer FakeRedmine::answer(const SiteRequest& request) {
    auto said = carry_out(request);
    for (int i = 0; i < 3'000 && held_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds{10});
    return said;
}

SiteAnswer FakeRedmine::carry_out(const SiteRequest& request) {
    const std::lock_guard lock{mutex_};
    if (auto& [count, said] = refused_[request.method]; count > 0) {
        --count;
        return said;
    }
    if (!request.headers.contains("x-redmine-api-key") || request.headers.at("x-redmine-api-key") != "key") return {401, "", {}, {}};
    const auto body = request.body.empty() ? json::object() : json::parse(request.body);
    SiteAnswer answer{404, "", {}, {}};
    if (request.target.starts_with("/users/current.json")) answer = {200, R"({"user":{"id":7,"login":"correlator"}})", {}, {}};
    if (request.target.starts_with("/projects/soc.json")) answer = {200, R"({"project":{"identifier":"soc","trackers":[{"id":1}]}})", {}, {}};
    if (request.target.starts_with("/issues.json")) answer = request.method == "POST" ? create(body["issue"]) : list(request.target);
    if (request.target.starts_with("/issues/")) {
        const int id = std::stoi(request.target.substr(8));
        if (request.target.find("/relations.json") != std::string::npos) answer = relate(id, body["relation"]);
        else answer = request.method == "PUT" ? update(id, body["issue"]) : show(id, request.target);
    }
    if (auto& count = lost_[request.method]; count > 0) {
        --count;
        answer.cut = SiteAnswer::Cut::before_reply;
    }
    return answer;
}

}  // namespace catenary::tests
