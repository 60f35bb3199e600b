#include "api/documents/members.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/incidents.hpp"
#include "api/handlers/reply.hpp"
#include "api/http/etag.hpp"

#include <array>
#include <set>

namespace catenary::api::handlers {

using documents::optional_member;
using documents::Place;
using engine::FaultCode;

namespace {

constexpr std::array<std::string_view, 8> members{"status", "classification", "classification_reason", "reason", "owner", "severity", "title", "labels"};
constexpr std::size_t most_labels = 50;
constexpr std::size_t most_label_bytes = 64;
constexpr std::array<std::string_view, 3> statuses{"new", "active", "closed"};
constexpr std::array<std::string_view, 4> severities{"informational", "low", "medium", "high"};
constexpr std::array<std::string_view, 4> classifications{"true_positive", "benign_positive", "false_positive", "undetermined"};

void read_reason(const Place& place, const nlohmann::json& body, engine::IncidentEdit& edit) {
    const auto* reason = optional_member(body, "classification_reason");
    const auto* brief = optional_member(body, "reason");  // the same under a shorter name
    if (reason != nullptr && brief != nullptr)
        place.member("reason").fault(FaultCode::conflict, "\"reason\" is short for \"classification_reason\"; give one of them");
    if (reason != nullptr) edit.reason = documents::read_text(place.member("classification_reason"), *reason, 4096);
    else if (brief != nullptr) edit.reason = documents::read_text(place.member("reason"), *brief, 4096);
}

std::vector<std::string> read_labels(const Place& place, const nlohmann::json& value) {
    std::set<std::string> labels;
    if (documents::read_list(place, value, 0, most_labels) == nullptr) return {};
    for (std::size_t i = 0; i < value.size(); ++i) {
        const auto label = documents::read_line(place.item(i), value[i], most_label_bytes);
        if (label && !labels.insert(*label).second) place.item(i).fault(FaultCode::conflict, "this label is in the list already");
    }
    return {labels.begin(), labels.end()};
}

engine::IncidentEdit read_edit(const Place& place, const nlohmann::json& body, engine::IncidentNumber number, const std::string& actor) {
    engine::IncidentEdit edit;
    edit.number = number;
    edit.actor = actor;
    if (documents::read_object(place, body, members) == nullptr) return edit;
    if (body.empty()) place.fault(FaultCode::missing, "names at least one member to change");
    const auto word = [&](std::string_view name, std::span<const std::string_view> words) -> std::optional<std::string_view> {
        const auto* value = optional_member(body, name);
        const auto index = value == nullptr ? std::nullopt : documents::read_word(place.member(name), *value, words);
        return index ? std::optional{words[*index]} : std::nullopt;
    };
    if (const auto status = word("status", statuses)) edit.status = engine::incident_status_from(*status);
    if (const auto severity = word("severity", severities)) edit.severity = engine::severity_from(*severity);
    if (const auto classification = word("classification", classifications)) edit.classification = engine::classification_from(*classification);
    if (const auto* title = optional_member(body, "title")) edit.title = documents::read_line(place.member("title"), *title, 256);
    if (const auto* owner = optional_member(body, "owner")) {
        edit.owner = owner->is_null() ? std::string{} : documents::read_line(place.member("owner"), *owner, 128);
    }
    if (const auto* labels = optional_member(body, "labels")) edit.labels = read_labels(place.member("labels"), *labels);
    read_reason(place, body, edit);
    return edit;
}

/// What concerns the incident as it would be afterwards: a classification is part of closing, and a reason part of a classification.
void check_outcome(const Place& place, const engine::IncidentRecord& incident, const nlohmann::json& body, const engine::IncidentEdit& edit) {
    if (!body.is_object()) return;
    const auto status = edit.status.value_or(incident.status);
    const bool classifies = optional_member(body, "classification") != nullptr;
    const bool classified = classifies || incident.classification.has_value();
    if (status == engine::IncidentStatus::closed && !classified) {
        place.member("classification")
            .fault(FaultCode::missing, "closing needs a classification: true_positive, benign_positive, false_positive or undetermined");
    }
    if (status != engine::IncidentStatus::closed && classifies) {
        place.member("classification").fault(FaultCode::conflict, "a classification is given when the incident is closed; send \"status\": \"closed\" with it");
    }
    if (edit.reason && !classified) {
        const auto* member = optional_member(body, "reason") != nullptr ? "reason" : "classification_reason";
        place.member(member).fault(FaultCode::conflict, "a reason belongs to a classification, and there is none");
    }
}

}  // namespace

http::Response edit_incident(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto body = read_body(request, BodySyntax::json_only);
    if (body.refusal) return *body.refusal;
    const auto incident = incident_in_path(request, caller, services);
    if (!incident) return failure_reply(request, incident.error());
    if (incident->merged_into) {
        return http::problem(request, http::ProblemKind::conflict,
                             "merged into incident " + std::to_string(incident->merged_into->value()) + "; change that one");
    }
    if (!http::if_match_holds(request.if_match, incident->revision)) {
        return http::problem(request, http::ProblemKind::precondition_failed, "the incident is at revision " + std::to_string(incident->revision));
    }
    engine::Faults faults;
    const Place place{faults};
    const auto edit = read_edit(place, body.value, incident->number, caller.key_id);
    check_outcome(place, *incident, body.value, edit);
    if (!faults.empty()) return invalid_document(request, faults);

    const bool conditional = !request.if_match.empty() && request.if_match != "*";
    const auto changed = services.control.edit(caller, edit, conditional ? std::optional{incident->revision} : std::nullopt);
    if (!changed) return failure_reply(request, changed.error());
    return incident_reply(request, caller, services, *changed, 200);
}

}  // namespace catenary::api::handlers
