#pragma once

#include "api/entities/profile.hpp"
#include "api/ports/ports.hpp"

#include <nlohmann/json_fwd.hpp>

namespace catenary::api::json {

/// {"kind", "value", "identifies": false where it identifies nobody}
nlohmann::ordered_json entity_key_to_json(const ports::EntityRow& row);
/// The same, and what administrators hold of it.
nlohmann::ordered_json to_json(const ports::EntityRow& row);
nlohmann::ordered_json to_json(const entities::NameCount& count);
nlohmann::ordered_json to_json(const entities::Neighbour& neighbour);
nlohmann::ordered_json to_json(const entities::StatedAlias& alias);
/// What an entity's profile shows of an incident.
nlohmann::ordered_json incident_line_to_json(const engine::IncidentRecord& incident);
/// One signal of an entity's timeline: what happened, in which role, together with whom.
nlohmann::ordered_json timeline_item_to_json(const ports::StoredSignalRow& row, const engine::EntityKey& of);

}  // namespace catenary::api::json
