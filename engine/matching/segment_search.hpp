#pragma once

#include "engine/matching/timeline.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace catenary::engine {

/// How many segments, counted from the front, have a time up to `gate`. Looks from the back, in steps that double: what is asked for is nearly always
/// new, so that the cost grows with the logarithm of the distance from the end.
inline std::size_t count_up_to(const std::vector<Segment>& segments, Timestamp gate, std::uint64_t& work) {
    std::size_t high = segments.size();
    std::size_t step = 1;
    while (high > 0 && segments[high - 1].time > gate) {
        ++work;
        const std::size_t low = high > step ? high - step : 0;
        if (low == 0 || segments[low - 1].time <= gate) {
            const auto place = std::upper_bound(segments.begin() + static_cast<std::ptrdiff_t>(low), segments.begin() + static_cast<std::ptrdiff_t>(high), gate,
                                                [](Timestamp time, const Segment& segment) { return time < segment.time; });
            return static_cast<std::size_t>(place - segments.begin());
        }
        high = low;
        step *= 2;
    }
    return high;
}

/// The latest time at which the chosen stage before a segment may end.
inline Timestamp gate_of(const Segment& segment, bool strict) {
    // At the segment's own instant the stage before would be part of the segment.
    return std::min(segment.start - Duration{strict ? 1 : 0}, segment.time - Duration{1});
}

}  // namespace catenary::engine
