#include "api/json/signal_row_json.hpp"

#include "api/json/time_json.hpp"

#include <boost/uuid/uuid_io.hpp>
#include <nlohmann/json.hpp>

#include <string>

namespace catenary::api::json {

using Json = nlohmann::ordered_json;

namespace {

/// Text columns hold JSON objects that ingest has written; anything else shows as an empty object rather than failing the whole list.
Json object_in(const std::string& text) {
    if (text.empty()) return Json::object();
    auto value = Json::parse(text, nullptr, false);
    return value.is_object() ? value : Json::object();
}

}  // namespace

Json to_json(const ports::StoredSignalRow& row) {
    const auto& signal = row.signal;
    Json value{{"id", signal.id}, {"source", signal.source}, {"time", format_time(signal.time)}, {"domain", signal.domain}, {"name", signal.name}};
    if (!row.title.empty()) value["title"] = row.title;
    value["tactics"] = signal.tactics;
    value["techniques"] = signal.techniques;
    value["severity"] = engine::to_string(signal.severity);
    value["confidence"] = signal.confidence;
    value["count"] = signal.count;
    const auto shown = object_in(row.shown_json);
    const auto aliases = object_in(row.aliases_json);
    auto& entities = value["entities"] = Json::array();
    for (std::size_t i = 0; i < signal.entities.size(); ++i) {
        const auto& mention = signal.entities[i];
        Json item{{"kind", mention.kind}, {"value", mention.value}};
        if (!mention.role.empty()) item["role"] = mention.role;
        if (!mention.identifies) item["identifies"] = false;
        const auto spelling = shown.find(std::to_string(i));
        if (spelling != shown.end() && spelling->is_string()) item["shown"] = *spelling;
        const auto others = aliases.find(std::to_string(i));
        if (others != aliases.end() && others->is_array()) item["aliases"] = *others;
        entities.push_back(std::move(item));
    }
    value["attributes"] = object_in(row.attributes_json);
    value["received"] = format_time(row.received);
    value["late"] = row.late;
    if (row.behind_horizon) value["awaiting_rematch"] = true;
    return value;
}

Json to_json(const ports::EvidenceUse& use) {
    Json value{{"finding", boost::uuids::to_string(use.finding.value())}, {"pattern", use.pattern}, {"stage", use.stage}};
    value["incident"] = use.incident ? Json(use.incident->value()) : Json(nullptr);
    return value;
}

}  // namespace catenary::api::json
