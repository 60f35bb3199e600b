#pragma once

#include "api/ports/ports.hpp"
#include "engine/incidents/records.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <limits>
#include <vector>

namespace catenary::api::json {

// Incidents as replies show them (the schemas `Incident` and `IncidentDetail` of openapi.yaml).

/// All that a record has (the setting `incident_entities`).
constexpr std::size_t every_entity = std::numeric_limits<std::size_t>::max();
/// A list's item with at most `most_entities` of its entities, principals first; `entity_total` is the true number.
nlohmann::ordered_json to_json(const engine::IncidentRecord& incident, std::size_t most_entities);

/// The same with all entities kept, description, findings, their stages, comments and tickets. Embeds at most 100 findings.
nlohmann::ordered_json incident_detail_to_json(const ports::IncidentDetail& detail);

nlohmann::ordered_json to_json(const engine::IncidentActivity& activity);
/// A line of the history that is a comment.
nlohmann::ordered_json comment_to_json(const engine::IncidentActivity& activity);

}  // namespace catenary::api::json
