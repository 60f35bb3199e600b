#pragma once

#include "engine/model/time.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::engine {

/// Words for people; locale-free, the same on every machine.

/// "2026-03-05 22:47:11 UTC"; fractions of a second are left out.
std::string said_time(Timestamp time);
/// The two largest units: "22 min 49 s", "3 d 4 h", "350 ms", "0 s". Negative spans are said without their sign.
std::string said_span(Duration span);
/// Fixed point with `decimals` digits after the point.
std::string said_number(double value, int decimals);
/// "1 signal", "2 signals".
std::string said_count(std::int64_t count, std::string_view noun);
/// "a", "a and b", "a, b and 3 more": at most `most` are named.
std::string said_list(const std::vector<std::string>& words, std::size_t most);

}  // namespace catenary::engine
