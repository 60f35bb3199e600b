#pragma once

#include "api/json/quoted.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace catenary::api::json {

/// Appends "/name" to a JSON pointer, with '~' and '/' of the name escaped (RFC 6901). Of a name of more than 256 bytes, which no document of ours may have,
/// the first ones and "…": a pointer is not longer than what it points to deserves.
inline void append_token(std::string& pointer, std::string_view name) {
    constexpr std::size_t most_bytes = 256;
    const auto shown = beginning(name, most_bytes);
    pointer += '/';
    for (const char letter : shown) {
        if (letter == '~') {
            pointer += "~0";
        } else if (letter == '/') {
            pointer += "~1";
        } else {
            pointer += letter;
        }
    }
    if (shown.size() < name.size()) pointer += "…";
}

}  // namespace catenary::api::json
