#pragma once

#include <chrono>
#include <cstdint>

namespace catenary::engine {

/// Spans of event time. Microseconds, as stored.
using Duration = std::chrono::microseconds;
/// Event time (or admission time), UTC, microseconds.
using Timestamp = std::chrono::sys_time<Duration>;

/// Microseconds since 1970-01-01T00:00:00Z, as SQL and snapshots hold them.
constexpr std::int64_t to_micros(Timestamp time) { return time.time_since_epoch().count(); }
constexpr Timestamp from_micros(std::int64_t micros) { return Timestamp{Duration{micros}}; }

/// The UTC calendar day that holds `time`; learned things belong to days.
constexpr std::chrono::sys_days event_day(Timestamp time) { return std::chrono::floor<std::chrono::days>(time); }

}  // namespace catenary::engine
