#pragma once

#include "engine/matching/pattern.hpp"

#include <string>
#include <vector>

namespace catenary::api::handlers {

/// What would have kept a pattern from firing, one condition a sentence, each of them enough: read off its stages, order, link, limits and repeats.
/// Optional stages are left out, since nothing depends on them.
std::vector<std::string> would_not_fire_if(const engine::Pattern& pattern);

}  // namespace catenary::api::handlers
