#pragma once

#include "api/documents/place.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string_view>

// Rules about our own signals: `logsource: {product: catenary, service: signals}`. Their one selection and a predicate say the same.

namespace catenary::api::sigma {

inline constexpr std::string_view own_product = "catenary";

/// Whether a rule selects signals instead of log records.
bool selects_signals(const nlohmann::json& rule);

/// The predicate of such a rule's `detection`. Faults at `place` (of the detection) where it holds more than one selection with simple values.
std::optional<nlohmann::json> predicate_of(const documents::Place& place, const nlohmann::json& detection);

/// The `detection` that a predicate in normal form is. Faults at `place` (of the predicate) where Sigma has no word for a part of it.
std::optional<nlohmann::ordered_json> detection_of(const documents::Place& place, const nlohmann::json& predicate);

}  // namespace catenary::api::sigma
