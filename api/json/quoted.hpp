#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace catenary::api::json {

/// At most so many bytes of a text from its begin, cut between characters.
inline std::string_view beginning(std::string_view text, std::size_t most_bytes) {
    auto end = std::min(text.size(), most_bytes);
    while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return text.substr(0, end);
}

/// A value given by the client, in quotes for a fault's detail: at most 64 bytes of it.
inline std::string in_quotes(std::string_view text) {
    constexpr std::size_t most_bytes = 64;
    const auto shown = beginning(text, most_bytes);
    return "'" + std::string{shown} + (shown.size() < text.size() ? "…'" : "'");
}

}  // namespace catenary::api::json
