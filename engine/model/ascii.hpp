#pragma once

#include <algorithm>
#include <string>
#include <string_view>

// ASCII only and without a locale: the same bytes fold the same way on every machine; other UTF-8 passes through.

namespace catenary::engine {

constexpr char ascii_lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter; }
constexpr bool is_ascii_space(char letter) { return letter == ' ' || (letter >= '\t' && letter <= '\r'); }
constexpr bool is_ascii_digit(char letter) { return letter >= '0' && letter <= '9'; }
constexpr bool is_ascii_hex(char letter) { return is_ascii_digit(letter) || (letter >= 'a' && letter <= 'f') || (letter >= 'A' && letter <= 'F'); }

inline std::string ascii_lower(std::string_view text) {
    std::string folded(text);
    for (char& letter : folded) letter = ascii_lower(letter);
    return folded;
}

/// Without leading and trailing ASCII white space.
constexpr std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_ascii_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_ascii_space(text.back())) text.remove_suffix(1);
    return text;
}

/// Whether `text` begins with `prefix`, which is written in lower case.
constexpr bool starts_with_folded(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() &&
           std::equal(prefix.begin(), prefix.end(), text.begin(), [](char wanted, char given) { return wanted == ascii_lower(given); });
}

}  // namespace catenary::engine
