#include "tests/support/environment.hpp"

#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace catenary::tests {

std::uint64_t environment_number(const char* name, std::uint64_t least, std::uint64_t most, std::uint64_t otherwise) {
    const auto* given = std::getenv(name);
    if (given == nullptr || *given == '\0') return otherwise;
    const std::string_view text{given};
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || value < least || value > most) {
        throw std::runtime_error(std::string{name} + " is '" + given + "'; allowed are " + std::to_string(least) + " to " + std::to_string(most));
    }
    return value;
}

}  // namespace catenary::tests
