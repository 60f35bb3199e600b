#pragma once

#include "engine/matching/distinct_values.hpp"
#include "engine/matching/instance_listing.hpp"
#include "engine/matching/stage_plan.hpp"
#include "engine/matching/window.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace catenary::engine {

/// A signal that satisfies absence conditions, as a StageMask shifted by `first_absence`, and whom it names.
struct UnwantedSignal {
    SignalHandle signal;
    StageMask conditions;
    std::vector<EntityId> mentions;  ///< not empty, each once
};

/// What must be absent and came: it alone, or with others, leaves no instance.
struct MetCondition {
    std::size_t condition;              ///< index among the pattern's `absent`
    std::optional<SignalHandle> first;  ///< the earliest signal that may have met it
};

/// Which absence condition is met where signals would otherwise make the pattern; empty where they make it all the same, or do not without conditions either,
/// as far as the bounds of InstanceListing let see. `entries`: in canonical order. For explanations: the signals are listed once for each condition.
std::optional<MetCondition> met_condition(std::span<const ListedEntry> entries, std::span<const UnwantedSignal> unwanted, const StagePlan& plan,
                                          const SignalWindow& window, const DistinctValues& values);

}  // namespace catenary::engine
