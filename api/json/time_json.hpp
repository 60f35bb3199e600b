#pragma once

#include "engine/model/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace catenary::api::json {

/// RFC 3339 date-time with any offset, at most 9 fractional digits (digits beyond microseconds are cut), years 1970..9999. Empty on anything else
/// (leap second 60, missing offset, impossible dates included).
std::optional<engine::Timestamp> parse_time(std::string_view text);

/// RFC 3339 in UTC: "2026-03-05T22:47:11Z", with a fraction of 3 or 6 digits only where it is not zero.
std::string format_time(engine::Timestamp time);

/// Spans of documents: a positive whole number and one of s m h d ("30m", "24h", "14d"). Empty on anything else, or beyond 400 days.
std::optional<engine::Duration> parse_span(std::string_view text);
std::string format_span(engine::Duration span);

/// ISO 8601 duration for replies: "PT22M49S", "PT4H", "P1DT2H", "PT0S"; fractions of seconds as "PT0.25S".
std::string format_iso_duration(engine::Duration span);

}  // namespace catenary::api::json
