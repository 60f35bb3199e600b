#pragma once

#include "api/ports/ports.hpp"

#include <nlohmann/json_fwd.hpp>

namespace catenary::api::json {

/// A pattern's version as lists show it (the schema `Pattern` of openapi.yaml): its head and deployment, without the document.
nlohmann::ordered_json pattern_head_to_json(const ports::PatternVersion& version);
/// The same with `document`, which can be posted again as it is.
nlohmann::ordered_json to_json(const ports::PatternVersion& version);

enum class WithDocument { no, yes };
/// One version by itself (the schema `PatternVersion`), in the mode it was posted in.
nlohmann::ordered_json pattern_version_to_json(const ports::PatternVersion& version, WithDocument with);

}  // namespace catenary::api::json
