#include "api/json/number.hpp"

#include <fmt/format.h>

#include <charconv>

namespace catenary::api::json {

bool is_exact_number(std::string_view token) {
    constexpr std::size_t always_exact_digits = 15;  // 10^15 < 2^53
    if (token.size() <= always_exact_digits || token.find_first_of(".eE") != std::string_view::npos) return true;
    double value = 0;
    const auto parsed = std::from_chars(token.data(), token.data() + token.size(), value);
    if (parsed.ec != std::errc{}) return false;  // more digits than any double has
    fmt::memory_buffer printed;
    fmt::format_to(std::back_inserter(printed), "{:.0f}", value);
    return std::string_view{printed.data(), printed.size()} == token;
}

}  // namespace catenary::api::json
