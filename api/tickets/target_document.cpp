#include "api/tickets/target_document.hpp"

#include "api/documents/members.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace catenary::api::tickets {

using documents::Place;
using engine::FaultCode;
using Json = nlohmann::json;

namespace {

constexpr std::array<std::string_view, 3> redmine_members{"project", "tracker", "incident_field"};
constexpr std::array<std::string_view, 3> request_tracker_members{"queue", "incident_field", "notes"};
constexpr std::array<std::string_view, 3> jira_members{"project", "issue_type", "account"};
constexpr std::array<std::string_view, 6> servicenow_members{"table", "account", "group", "notes", "close_code", "close_codes"};
constexpr std::array<std::string_view, 2> servicenow_notes{"work_notes", "comments"};
constexpr std::array<std::string_view, 4> classifications{"true_positive", "benign_positive", "false_positive", "undetermined"};
constexpr std::array<std::string_view, 2> notes{"comment", "correspond"};

std::string line_of(const Place& place, const Json& target, std::string_view name) {
    const auto* value = documents::required(place, target, name);
    return value == nullptr ? "" : documents::read_line(place.member(name), *value, most_word_bytes).value_or("");
}

void read_redmine(const Place& place, const Json& value, Connector& connector) {
    if (documents::read_object(place, value, redmine_members) == nullptr) return;
    constexpr auto most = std::numeric_limits<std::int32_t>::max();
    connector.redmine.project = line_of(place, value, "project");
    if (const auto* tracker = documents::required(place, value, "tracker")) {
        connector.redmine.tracker = documents::read_integer(place.member("tracker"), *tracker, 1, most).value_or(0);
    }
    if (const auto* field = documents::required(place, value, "incident_field")) {
        connector.redmine.incident_field = documents::read_integer(place.member("incident_field"), *field, 1, most).value_or(0);
    }
}

/// Names that go into queries: nothing in them may end a quotation.
std::string quotable(const Place& place, const Json& target, std::string_view name) {
    auto text = line_of(place, target, name);
    if (text.find_first_of("'\"\\{}") != std::string::npos) {
        place.member(name).fault(FaultCode::malformed, "has no quotation marks, backslashes or braces: it is part of queries");
    }
    return text;
}

void read_request_tracker(const Place& place, const Json& value, Connector& connector) {
    if (documents::read_object(place, value, request_tracker_members) == nullptr) return;
    auto& target = connector.request_tracker;
    target.queue = quotable(place, value, "queue");
    target.incident_field = quotable(place, value, "incident_field");
    if (const auto* word = documents::given_member(value, "notes")) {
        if (const auto index = documents::read_word(place.member("notes"), *word, notes)) target.notes = static_cast<RequestTrackerTarget::Notes>(*index);
    }
}

/// The name of basic authorisation ends at a colon.
std::string account_of(const Place& place, const Json& target) {
    auto account = line_of(place, target, "account");
    if (account.find(':') != std::string::npos) place.member("account").fault(FaultCode::malformed, "has no colon, which would end it where it signs in");
    return account;
}

void read_jira(const Place& place, const Json& value, Connector& connector) {
    if (documents::read_object(place, value, jira_members) == nullptr) return;
    auto& target = connector.jira;
    target.project = line_of(place, value, "project");
    const auto is_of_key = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
    if (!target.project.empty() && !std::ranges::all_of(target.project, is_of_key))
        place.member("project").fault(FaultCode::malformed, "is the project's key: capital letters, digits and _");
    target.issue_type = line_of(place, value, "issue_type");
    target.account = account_of(place, value);
}

void read_close_codes(const Place& place, const Json& value, ServiceNowTarget& target) {
    if (documents::read_object(place, value, classifications) == nullptr) return;
    for (std::size_t i = 0; i < classifications.size(); ++i) {
        const auto* word = documents::given_member(value, classifications[i]);
        if (word == nullptr) continue;
        if (auto read = documents::read_line(place.member(classifications[i]), *word, most_word_bytes))
            target.close_codes[static_cast<engine::Classification>(i)] = *std::move(read);
    }
}

void read_servicenow(const Place& place, const Json& value, Connector& connector) {
    if (documents::read_object(place, value, servicenow_members) == nullptr) return;
    auto& target = connector.servicenow;
    target.table = line_of(place, value, "table");
    const auto is_of_name = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    if (!std::ranges::all_of(target.table, is_of_name)) place.member("table").fault(FaultCode::malformed, "is the table's name: small letters, digits and _");
    target.account = account_of(place, value);
    target.close_code = line_of(place, value, "close_code");
    if (const auto* group = documents::given_member(value, "group"))
        target.group = documents::read_line(place.member("group"), *group, most_word_bytes).value_or("");
    if (const auto* word = documents::given_member(value, "notes")) {
        if (const auto index = documents::read_word(place.member("notes"), *word, servicenow_notes))
            target.notes = static_cast<ServiceNowTarget::Notes>(*index);
    }
    if (const auto* codes = documents::given_member(value, "close_codes")) read_close_codes(place.member("close_codes"), *codes, target);
}

bool is_number(std::string_view word) {
    return !word.empty() && word.size() <= 9 && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

/// Redmine's words for priorities, states and people are ids.
void check_redmine_words(const Place& place, const Connector& connector) {
    const auto check = [](const Place& at, const std::string& word) {
        if (!is_number(word)) at.fault(FaultCode::malformed, "Redmine names this by an id, a whole number");
    };
    for (const auto& [severity, word] : connector.priorities) check(place.member("priorities").member(engine::to_string(severity)), word);
    for (const auto& [status, word] : connector.statuses) check(place.member("statuses").member(engine::to_string(status)), word);
    for (const auto& [state, classification] : connector.resolutions) check(place.member("resolutions").member(state), state);
    if (!connector.assignee.empty()) check(place.member("assignee"), connector.assignee);
}

/// Request Tracker keeps priorities as numbers, whatever names it shows for them.
void check_request_tracker_words(const Place& place, const Connector& connector) {
    for (const auto& [severity, word] : connector.priorities) {
        if (!is_number(word))
            place.member("priorities").member(engine::to_string(severity)).fault(FaultCode::malformed, "a priority of Request Tracker is a whole number");
    }
}

/// Labels of Jira are single words.
void check_jira_words(const Place& place, const Connector& connector) {
    for (std::size_t i = 0; i < connector.labels.size(); ++i) {
        if (connector.labels[i].find_first_of(" \t") != std::string::npos)
            place.member("labels").item(i).fault(FaultCode::malformed, "a label of Jira has no blanks");
    }
}

/// ServiceNow's words for states and urgency are numbers.
void check_servicenow_words(const Place& place, const Connector& connector) {
    for (const auto& [severity, word] : connector.priorities) {
        if (word != "1" && word != "2" && word != "3")
            place.member("priorities")
                .member(engine::to_string(severity))
                .fault(FaultCode::malformed, "ServiceNow makes a priority of impact and urgency: 1, 2 or 3 for both");
    }
    for (const auto& [status, word] : connector.statuses) {
        if (!is_number(word)) place.member("statuses").member(engine::to_string(status)).fault(FaultCode::malformed, "a state of ServiceNow is a whole number");
    }
}

}  // namespace

std::optional<std::string> read_remote_word(const Place& place, const Json& value) {
    if (value.is_number_integer() && value.get<std::int64_t>() >= 0) return std::to_string(value.get<std::int64_t>());
    return documents::read_line(place, value, most_word_bytes);
}

void read_target(const Place& place, const Json& body, Connector& connector) {
    const auto own = to_string(connector.kind);
    for (const auto word : kind_words().subspan(1)) {
        if (word != own && documents::given_member(body, word) != nullptr)
            place.member(word).fault(FaultCode::conflict, fmt::format("this connector's kind is {}: leave it out", own));
    }
    if (connector.kind == ConnectorKind::webhook) return;
    const auto* target = documents::required(place, body, own);
    const auto at = place.member(own);
    switch (connector.kind) {
        case ConnectorKind::webhook: return;
        case ConnectorKind::redmine:
            if (target != nullptr) read_redmine(at, *target, connector);
            return check_redmine_words(place, connector);
        case ConnectorKind::request_tracker:
            if (target != nullptr) read_request_tracker(at, *target, connector);
            return check_request_tracker_words(place, connector);
        case ConnectorKind::jira:
            if (target != nullptr) read_jira(at, *target, connector);
            return check_jira_words(place, connector);
        case ConnectorKind::servicenow:
            if (target != nullptr) read_servicenow(at, *target, connector);
            return check_servicenow_words(place, connector);
    }
}

void show_target(nlohmann::ordered_json& document, const Connector& connector) {
    nlohmann::ordered_json shown;
    switch (connector.kind) {
        case ConnectorKind::webhook: return;
        case ConnectorKind::redmine: {
            const auto& target = connector.redmine;
            shown = {{"project", target.project}, {"tracker", target.tracker}, {"incident_field", target.incident_field}};
            break;
        }
        case ConnectorKind::request_tracker: {
            const auto& target = connector.request_tracker;
            shown = {{"queue", target.queue}, {"incident_field", target.incident_field}, {"notes", notes[static_cast<std::size_t>(target.notes)]}};
            break;
        }
        case ConnectorKind::jira: {
            const auto& target = connector.jira;
            shown = {{"project", target.project}, {"issue_type", target.issue_type}, {"account", target.account}};
            break;
        }
        case ConnectorKind::servicenow: {
            const auto& target = connector.servicenow;
            shown = {{"table", target.table},
                     {"account", target.account},
                     {"notes", servicenow_notes[static_cast<std::size_t>(target.notes)]},
                     {"close_code", target.close_code}};
            if (!target.group.empty()) shown["group"] = target.group;
            for (const auto& [classification, code] : target.close_codes) shown["close_codes"][std::string{engine::to_string(classification)}] = code;
            break;
        }
    }
    document[std::string{to_string(connector.kind)}] = std::move(shown);
}

}  // namespace catenary::api::tickets
