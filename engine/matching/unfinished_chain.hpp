#pragma once

#include "engine/matching/matcher.hpp"
#include "engine/matching/window.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace catenary::engine {

/// A stage that a chain has reached.
struct ReachedStage {
    std::uint8_t stage;   ///< index
    SignalHandle signal;  ///< that completes it
    Timestamp start;      ///< of its occurrence
    Timestamp end;
    friend bool operator==(const ReachedStage&, const ReachedStage&) = default;
};

/// A chain of stages that is not whole: what it has and what it lacks.
struct UnfinishedChain {
    std::vector<ReachedStage> reached;  ///< not empty; in the order of the pattern
    StageMask missing = 0;              ///< mandatory stages that it lacks
    std::uint8_t awaited = 0;           ///< the first of them
    EntityId entity;                    ///< that links it; under `chain`, that its last stage is linked by
    Timestamp start;
    Timestamp end;
    Timestamp until;  ///< the last instant at which what it awaits may begin, inclusive
    std::size_t lacks() const { return static_cast<std::size_t>(std::popcount(missing)); }
};

}  // namespace catenary::engine
