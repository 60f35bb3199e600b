#include "engine/model/number_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace catenary::engine {

std::string number_text(double number) {
    constexpr double exact_limit = 9007199254740992.0;  // 2^53: beyond it neighbours are more than one apart
    std::array<char, 32> written;
    char* const begin = written.data();
    char* const end = begin + written.size();
    const bool is_whole = std::trunc(number) == number && std::fabs(number) <= exact_limit;
    const auto result = is_whole ? std::to_chars(begin, end, static_cast<std::int64_t>(number)) : std::to_chars(begin, end, number);
    return {begin, result.ptr};
}

}  // namespace catenary::engine
