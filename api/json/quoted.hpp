#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace catenary::api::json {

/// A value given by the client, in quotes for a fault's detail: at most 64 bytes of it, cut between characters.
inline std::string in_quotes(std::string_view text) {
    constexpr std::size_t most_bytes = 64;
    auto end = std::min(text.size(), most_bytes);
    const bool cut = end < text.size();
    while (cut && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return "'" + std::string{text.substr(0, end)} + (cut ? "…'" : "'");
}

}  // namespace catenary::api::json
