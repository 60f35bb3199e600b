#pragma once

#include "engine/matching/why_not.hpp"

#include <string>

namespace catenary::api::json {

/// A why-not as a sentence: "stage \"rule\" came too late by 3 min: first to last activity may take 4 h". `entity`: who was asked about.
std::string why_not_text(const engine::WhyNot& answer, const engine::Pattern& pattern, const engine::EntityKey& entity);

}  // namespace catenary::api::json
