#pragma once

#include "engine/matching/matcher.hpp"
#include "engine/matching/pattern.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace catenary::engine {

using StageIndex = std::uint8_t;
constexpr std::size_t max_stages = 10;

/// In a mask of stages served: the signal is an instance by itself.
constexpr StageMask lone_bit = 1U << 15U;

static_assert(first_absence == max_stages && (absence_bits & lone_bit) == 0, "what a signal satisfies and what it serves fit into one mask");

constexpr StageMask stage_bit(std::size_t stage) { return static_cast<StageMask>(1U << stage); }
constexpr bool has_stage(StageMask mask, std::size_t stage) { return (mask & stage_bit(stage)) != 0; }
constexpr std::size_t stage_count(StageMask mask) { return static_cast<std::size_t>(std::popcount(mask)); }

/// Calls `visit(StageIndex)` for each stage of a mask, ascending.
template <class Visit>
void each_stage(StageMask mask, Visit visit) {
    for (unsigned rest = mask; rest != 0; rest &= rest - 1) visit(static_cast<StageIndex>(std::countr_zero(rest)));
}

/// What matching needs of a pattern, worked out once. All stages up to the last are below `stages`.
struct StagePlan {
    explicit StagePlan(std::shared_ptr<const Pattern> source);

    std::shared_ptr<const Pattern> pattern;
    std::size_t stages;
    Duration within;
    Duration max_span;
    bool strict;
    StageMask all;
    StageMask mandatory;
    StageMask repeated;
    StageMask distinct;                          ///< repeated stages that count values
    StageMask first;                             ///< may be the first chosen stage: only optional ones before it
    StageMask last;                              ///< may be the last chosen stage: only optional ones after it
    std::array<StageMask, max_stages> previous;  ///< what may be the chosen stage just before: only optional ones between
    std::optional<StageIndex> lone;              ///< the plain stage that alone makes an instance, if there is one
    std::optional<StageIndex> counted;           ///< the first mandatory stage that is repeated, if there is one
    std::int64_t at_least = 0;                   ///< of `counted`
    Duration absent_after{};                     ///< the longest interval of an absence that begins with a stage; within two stages it may be `within`
    Duration absent_before{};                    ///< the longest that ends with a stage's start, leading ones only

    /// The mandatory stages strictly between two.
    StageMask mandatory_between(StageIndex low, StageIndex high) const;
    StageMask between(StageIndex low, StageIndex high) const;
    /// The earliest of the stages that a signal serves; being an instance by itself (`lone_bit`) is serving the lone stage.
    StageIndex earliest(StageMask served) const;
};

}  // namespace catenary::engine
