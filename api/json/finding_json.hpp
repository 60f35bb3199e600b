#pragma once

#include "api/ports/ports.hpp"
#include "engine/incidents/records.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace catenary::api::json {

// Findings as replies show them (the schema `Finding` of openapi.yaml).

std::string text_of(const engine::FindingId& id);
nlohmann::ordered_json to_json(const engine::EntityKey& entity);
nlohmann::ordered_json to_json(const engine::SignalRef& signal);
/// `prior_bits`, `contributions`, the bonuses, `total_bits`, `probability`; the bits add up to the total.
nlohmann::ordered_json to_json(const engine::Score& score);
/// A stage with what matched it, why, how long after the one before, and by whom it is linked; `matched_by` is null for an optional stage left empty.
nlohmann::ordered_json to_json(const engine::StageSummary& stage);
/// Without evidence.
nlohmann::ordered_json to_json(const engine::FindingRecord& finding);
nlohmann::ordered_json to_json(const ports::FindingWithEvidence& finding);

}  // namespace catenary::api::json
