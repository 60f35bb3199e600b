#include "api/json/entity_json.hpp"

#include "api/json/time_json.hpp"

#include <nlohmann/json.hpp>

namespace catenary::api::json {

using Json = nlohmann::ordered_json;

namespace {

Json entity(const std::string& kind, const std::string& value, bool identifies) {
    Json item{{"kind", kind}, {"value", value}};
    if (!identifies) item["identifies"] = false;
    return item;
}

}  // namespace

Json entity_key_to_json(const ports::EntityRow& row) { return entity(row.key.kind, row.key.value, row.identifies); }

Json to_json(const ports::EntityRow& row) {
    auto item = entity_key_to_json(row);
    const auto& notes = row.notes;
    item["tags"] = notes.tags;
    item["criticality"] = notes.criticality ? Json(entities::to_string(*notes.criticality)) : Json(nullptr);
    auto facts = Json::parse(notes.facts_json, nullptr, false);
    item["facts"] = facts.is_object() ? std::move(facts) : Json::object();  // a damaged row must not fail the whole list
    item["link"] = notes.link == engine::LinkRule::usual ? Json(nullptr) : Json(engine::to_string(notes.link));
    item["hub"] = notes.link == engine::LinkRule::deny ? Json{{"because", "denied"}} : Json(nullptr);
    item["revision"] = row.revision;
    item["changed"] = row.changed ? Json(format_time(*row.changed)) : Json(nullptr);
    item["changed_by"] = row.changed_by.empty() ? Json(nullptr) : Json(row.changed_by);
    return item;
}

Json to_json(const entities::NameCount& count) {
    return {{"source", count.source},         {"name", count.name}, {"domain", count.domain}, {"signals", count.signals}, {"first", format_time(count.first)},
            {"last", format_time(count.last)}};
}

Json to_json(const entities::Neighbour& neighbour) {
    auto item = entity(neighbour.key.kind, neighbour.key.value, neighbour.identifies);
    item["signals"] = neighbour.signals;
    item["first"] = format_time(neighbour.first);
    item["last"] = format_time(neighbour.last);
    return item;
}

Json to_json(const entities::StatedAlias& alias) {
    return {{"kind", alias.key.kind}, {"value", alias.key.value}, {"source", alias.source}, {"last", format_time(alias.last)}};
}

Json incident_line_to_json(const engine::IncidentRecord& incident) {
    return {{"number", incident.number.value()},
            {"title", incident.title},
            {"status", engine::to_string(incident.status)},
            {"severity", engine::to_string(incident.severity)},
            {"score", incident.score},
            {"last_activity", format_time(incident.last_activity)}};
}

Json timeline_item_to_json(const ports::StoredSignalRow& row, const engine::EntityKey& of) {
    const auto& signal = row.signal;
    Json item{{"time", format_time(signal.time)}, {"source", signal.source}, {"id", signal.id}, {"name", signal.name}, {"domain", signal.domain}};
    if (!row.title.empty()) item["title"] = row.title;
    item["severity"] = engine::to_string(signal.severity);
    item["confidence"] = signal.confidence;
    auto with = Json::array();
    for (const auto& mention : signal.entities) {
        if (mention.kind == of.kind && mention.value == of.value) {
            if (!mention.role.empty()) item["role"] = mention.role;
            continue;
        }
        auto other = entity(mention.kind, mention.value, mention.identifies);
        if (!mention.role.empty()) other["role"] = mention.role;
        with.push_back(std::move(other));
    }
    item["with"] = std::move(with);
    return item;
}

}  // namespace catenary::api::json
