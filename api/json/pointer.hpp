#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace catenary::api::json {

/// Appends "/name" to a JSON pointer, with '~' and '/' of the name escaped (RFC 6901). Of a name of more than 256 bytes, which no document of ours may have,
/// the first ones and "…": a pointer is not longer than what it points to deserves.
inline void append_token(std::string& pointer, std::string_view name) {
    constexpr std::size_t most_bytes = 256;
    auto end = std::min(name.size(), most_bytes);
    const bool is_cut = end < name.size();
    while (is_cut && end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
    name = name.substr(0, end);
    pointer += '/';
    for (const char letter : name) {
        if (letter == '~') {
            pointer += "~0";
        } else if (letter == '/') {
            pointer += "~1";
        } else {
            pointer += letter;
        }
    }
    if (is_cut) pointer += "…";
}

}  // namespace catenary::api::json
