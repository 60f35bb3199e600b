#pragma once

#include "api/documents/parsed.hpp"
#include "engine/matching/pattern.hpp"
#include "engine/model/time.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace catenary::api::documents {

/// A pattern document as read: compiled, with what the compiled form cannot give back.
struct PatternDocument {
    engine::Pattern pattern;                          ///< version 1 until a store says otherwise
    std::vector<nlohmann::json> matches;              ///< normal form of each stage's `match`
    std::vector<nlohmann::json> absent_matches;       ///< of each absence condition's `match`
    nlohmann::json examples;                          ///< as posted; null when absent
    std::optional<engine::Timestamp> effective_from;  ///< of the deployment, like `mode`; not part of the normal form
};

/// Reads a pattern (members and meaning: the README beside this file). Collects every fault, those of single members and those of
/// engine::Pattern::check.
Parsed<PatternDocument> pattern_from_json(const nlohmann::json& document);

/// Normal form: fixed member order, defaults left out except `severity` and `order`, spans in their largest whole unit, one-item lists of operands as
/// scalars. Without `mode`, `effective_from` and `version`, which belong to the deployment. Reading it back gives an equal document, so it is stable.
nlohmann::ordered_json pattern_to_json(const PatternDocument& document);

/// The compiled pattern of a stored normal form. Throws std::invalid_argument on text that `pattern_to_json` has not made: a damaged row or one of a
/// newer program, not an input.
engine::Pattern stored_pattern(std::string_view document_json, std::int32_t version, engine::Mode mode);

std::optional<engine::Mode> mode_from(std::string_view word);

}  // namespace catenary::api::documents
