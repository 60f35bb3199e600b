#pragma once

#include "engine/model/signal.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace catenary::oracle {

/// The score 0..1 of a finding (semantics.md 6) at that base rate. `evidence`: its signals, each with the stage that it serves.
double score(const std::vector<std::pair<engine::Signal, std::size_t>>& evidence, double base_rate);

}  // namespace catenary::oracle
