#pragma once

#include "engine/matching/finding_cut.hpp"
#include "engine/matching/instance_listing.hpp"

#include <vector>

namespace catenary::engine {

/// The findings that instances make, as semantics.md 4.3 reads: connected where they share a signal, each connected set cut into findings. One vector
/// a connected set, those that instances without late signals opened first.
std::vector<std::vector<CutFinding>> findings_of(std::vector<ListedInstance> instances, const StagePlan& plan, const SignalWindow& window);

}  // namespace catenary::engine
