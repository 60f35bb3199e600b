#pragma once

#include "api/documents/place.hpp"
#include "engine/matching/pattern.hpp"

#include <nlohmann/json.hpp>

#include <span>

namespace catenary::api::documents {

/// One of a pattern's `absent` conditions as read.
struct AbsenceDocument {
    engine::Absence absence;
    nlohmann::json match;  ///< normal form
};

/// `{match, between: [a, b]}`, `{match, after: a, within: d}` or `{match, before: a, within: d}`; `stages` are what the ids may name. One that is at fault has
/// no stage: an index that is none.
AbsenceDocument absence_from_json(const Place& place, const nlohmann::json& value, std::span<const engine::Stage> stages);

nlohmann::ordered_json absence_to_json(const engine::Absence& absence, const nlohmann::json& match, std::span<const engine::Stage> stages);

}  // namespace catenary::api::documents
