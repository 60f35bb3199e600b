#pragma once

#include "engine/matching/finding_cut.hpp"
#include "engine/matching/instance_listing.hpp"
#include "engine/matching/matcher.hpp"

#include <optional>
#include <vector>

namespace catenary::engine {

struct ListedFinding {
    CutFinding cut;
    std::optional<Timestamp> waiting_until;  ///< of its instances the first to be decided; all of them wait, or none
    std::vector<LateAnswer> late_answers;    ///< in canonical order, the earliest LateAnswer::most
    bool more_late_answers = false;
};

/// The findings that instances make, as semantics.md 4.3 reads: connected where they share a signal, each connected set cut into findings. One vector
/// a connected set, those that instances without late signals opened first.
std::vector<std::vector<ListedFinding>> findings_of(std::vector<ListedInstance> instances, const StagePlan& plan, const SignalWindow& window);

}  // namespace catenary::engine
