#include "api/json/incident_json.hpp"

#include "api/json/finding_json.hpp"
#include "api/json/ticket_json.hpp"
#include "api/json/time_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace catenary::api::json {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t most_findings = 100;

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json entities_of(const engine::IncidentRecord& incident, std::size_t most) {
    std::vector<engine::EntityKey> principals = incident.principals;
    std::ranges::sort(principals);
    Json list = Json::array();
    for (const auto& entity : incident.entities) {
        if (list.size() == most) break;
        auto item = to_json(entity);
        if (std::ranges::binary_search(principals, entity)) item["principal"] = true;
        list.push_back(std::move(item));
    }
    return list;
}

}  // namespace

Json to_json(const engine::IncidentRecord& incident, std::size_t most_entities) {
    Json value{{"number", incident.number.value()},
               {"title", incident.title},
               {"status", engine::to_string(incident.status)},
               {"severity", engine::to_string(incident.severity)},
               {"score", incident.score},
               {"classification", incident.classification ? Json(engine::to_string(*incident.classification)) : Json(nullptr)},
               {"classification_reason", text_or_null(incident.classification_reason)},
               {"tactics", incident.tactics},
               {"techniques", incident.techniques},
               {"domains", incident.domains},
               {"first_activity", format_time(incident.first_activity)},
               {"last_activity", format_time(incident.last_activity)},
               {"signal_count", incident.signal_count},
               {"finding_count", incident.finding_count},
               {"entities", entities_of(incident, most_entities)},
               {"entity_total", incident.entity_total},
               {"patterns", incident.patterns},
               {"owner", text_or_null(incident.owner)},
               {"labels", incident.labels},
               {"tickets", Json::array()},
               {"created", format_time(incident.created)},
               {"updated", format_time(incident.updated)},
               {"revision", incident.revision}};
    if (incident.merged_into) value["merged_into"] = incident.merged_into->value();
    return value;
}

Json incident_detail_to_json(const ports::IncidentDetail& detail) {
    auto value = to_json(detail.record, every_entity);
    value["description"] = detail.record.summary;
    for (const auto& ticket : detail.tickets) value["tickets"].push_back(ticket_link_to_json(ticket));
    auto& related = value["related"] = Json::array();
    for (const auto number : detail.record.related) related.push_back(number.value());
    auto& said = value["comments"] = Json::array();
    for (const auto& comment : detail.comments) said.push_back(comment_to_json(comment));
    auto& embedded = value["findings"] = Json::array();
    auto& stages = value["stages"] = Json::array();
    for (const auto& finding : detail.findings) {
        if (embedded.size() == most_findings) break;
        embedded.push_back(to_json(finding));
        for (const auto& stage : finding.stages) {
            auto item = to_json(stage);
            item["finding"] = text_of(finding.id);
            item["pattern"] = finding.pattern;
            stages.push_back(std::move(item));
        }
    }
    return value;
}

Json to_json(const engine::IncidentActivity& activity) {
    return {{"at", format_time(activity.at)}, {"actor", activity.actor}, {"what", activity.what}, {"detail", activity.detail}};
}

Json comment_to_json(const engine::IncidentActivity& activity) {
    return {{"at", format_time(activity.at)}, {"actor", activity.actor}, {"text", activity.detail}};
}

}  // namespace catenary::api::json
