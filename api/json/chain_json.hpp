#pragma once

#include "api/ports/ports.hpp"
#include "engine/matching/why_not.hpp"

#include <nlohmann/json_fwd.hpp>

// Chains that are not whole, as replies show them (the schemas `PartialChain`, `NearMiss`, `PatternHealth` and parts of `WhyNot` of openapi.yaml).

namespace catenary::api::json {

nlohmann::ordered_json to_json(const engine::PartialChain& chain);
nlohmann::ordered_json to_json(const ports::NearMissRow& row);
/// What one version does; `newest`: of the tenant's event times, which silence is measured by; `all_work`: of all patterns, of which it has a share.
nlohmann::ordered_json to_json(const engine::PatternHealth& health, std::optional<engine::Timestamp> newest, std::uint64_t all_work);
/// From `stage` on: the part that the engine says.
nlohmann::ordered_json to_json(const engine::WhyNot& answer);

}  // namespace catenary::api::json
