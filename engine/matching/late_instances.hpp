#pragma once

#include "engine/matching/finding_cut.hpp"

#include <optional>
#include <vector>

namespace catenary::engine {

/// One instance with a late signal, spelled out.
struct LateInstance {
    InstanceSpan span;
    EntityId principal;
    SignalHandle completing;              ///< completes its last stage
    std::vector<FoundEvidence> evidence;  ///< sorted by handle, each signal once
};

/// At most so many instances of a connected set are spelled out, and so many steps taken to find them: their number can be the product of the numbers
/// of signals of the stages.
constexpr std::size_t most_spelled_out = 2048;

/// In a connected set that spans more than `max_span` and has more signals than this, late ones count like others: telling them apart would cost a pass
/// over the set for each signal that comes.
constexpr std::size_t most_judged_late = 256;

/// The instances of the set in the region that have a late signal, in the order of semantics.md 4.3; empty optional: they may be too many.
std::optional<std::vector<LateInstance>> spell_out_late(const std::vector<SetTimeline>& timelines, Timestamp earliest, const InstanceRegion& region,
                                                        const TimelineContext& context);

}  // namespace catenary::engine
