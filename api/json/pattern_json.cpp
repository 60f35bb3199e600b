#include "api/json/pattern_json.hpp"

#include "api/json/time_json.hpp"

#include <nlohmann/json.hpp>

namespace catenary::api::json {

using Json = nlohmann::ordered_json;

namespace {

Json number(const std::optional<std::int32_t>& version) { return version ? Json(*version) : Json(nullptr); }

Json head(const ports::PatternVersion& version, const Json& document) {
    Json value{{"id", version.id},
               {"version", version.version},
               {"mode", engine::to_string(version.mode)},
               {"production_version", number(version.production)},
               {"flighting_version", number(version.flighting)},
               {"shipped", version.shipped},
               {"revision", version.revision}};
    for (const auto* name : {"title", "description", "severity", "tactics", "techniques"}) {
        if (const auto it = document.find(name); it != document.end()) value[name] = *it;
    }
    if (!version.shipped) {  // what ships has no author and no date of its own
        value["created"] = format_time(version.created);
        value["created_by"] = version.created_by;
    }
    if (version.changed) {
        value["changed"] = format_time(*version.changed);
        value["changed_by"] = version.changed_by;
    }
    return value;
}

}  // namespace

Json pattern_head_to_json(const ports::PatternVersion& version) { return head(version, Json::parse(version.document_json)); }

Json to_json(const ports::PatternVersion& version) {
    auto document = Json::parse(version.document_json);
    auto value = head(version, document);
    value["document"] = std::move(document);
    return value;
}

Json pattern_version_to_json(const ports::PatternVersion& version, WithDocument with) {
    Json value{{"id", version.id}, {"version", version.version}, {"mode", engine::to_string(version.mode)}, {"shipped", version.shipped}};
    if (!version.shipped) {
        value["created"] = format_time(version.created);
        value["created_by"] = version.created_by;
    }
    if (with == WithDocument::yes) value["document"] = Json::parse(version.document_json);
    return value;
}

}  // namespace catenary::api::json
