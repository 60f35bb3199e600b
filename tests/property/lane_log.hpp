#pragma once

#include "tests/support/lane_story.hpp"

#include <cstdint>
#include <vector>

namespace catenary::property {

/// A log of two tenants with everything in it that may happen to a lane, and what shipped.
struct LaneLog {
    engine::Catalogue shipped;
    std::vector<test::LogEntry> entries;
    /// The patterns that tenants brought in.
    engine::Catalogue posted() const;
};

/// The same seed makes the same log. What is drawn:
///
/// | of | drawn |
/// | --- | --- |
/// | patterns | 1 to 3 stages, optional ones, sequence and any order, not linked, by one entity, by a chain; limits on gaps; repeats with and without distinct values; `max_span` of minutes up to days; required domains; flighting |
/// | signals | bursts of a few accounts and hosts, many of equal time, some behind the watermark or the horizon, some with entities that do not link |
/// | time | minutes, sometimes days at once, so that much is forgotten; ticks; watermark calls |
/// | people | edits, closing and reopening, comments, merges, splits, settings (of which so few incidents a day that findings are aggregated), new patterns, new versions, other modes |
LaneLog random_lane_log(std::uint32_t seed, int entries);

}  // namespace catenary::property
