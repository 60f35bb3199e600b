#pragma once

#include "api/documents/place.hpp"
#include "engine/matching/pattern.hpp"

#include <nlohmann/json.hpp>

#include <optional>

namespace catenary::api::documents {

struct StageDocument {
    engine::Stage stage;   ///< members at fault keep their defaults, so that checks across members can go on
    nlohmann::json match;  ///< normal form
};

/// One item of a pattern's `stages`.
StageDocument stage_from_json(const Place& place, const nlohmann::json& value);

/// Normal form of a stage.
nlohmann::ordered_json stage_to_json(const engine::Stage& stage, const nlohmann::json& match);

/// "30m", "24h", "14d"; empty after a fault.
std::optional<engine::Duration> read_span(const Place& place, const nlohmann::json& value);

/// A word for a kind of entity, as fields spell it: `entities.<kind>`.
std::optional<std::string> read_kind(const Place& place, const nlohmann::json& value);

}  // namespace catenary::api::documents
