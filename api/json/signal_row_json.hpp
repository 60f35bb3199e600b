#pragma once

#include "api/ports/ports.hpp"

#include <nlohmann/json_fwd.hpp>

namespace catenary::api::json {

/// A stored signal as replies show it (the schema `Signal` of openapi.yaml): canonical entities with the spelling as posted in `shown` where it
/// differs, attributes as posted, when it was received, whether it was late.
nlohmann::ordered_json to_json(const ports::StoredSignalRow& row);

/// A finding that rests on the signal: {"finding", "pattern", "stage", "incident"}.
nlohmann::ordered_json to_json(const ports::EvidenceUse& use);

}  // namespace catenary::api::json
