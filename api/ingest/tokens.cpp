#include "api/ingest/tokens.hpp"

#include <cstring>

namespace catenary::api::ingest {
namespace {

constexpr bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

}  // namespace

std::string_view kept(std::string_view text, Arena& arena) {
    if (text.empty()) return {};
    auto* copy = static_cast<char*>(arena.allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

Text StringReader::decoded(const StringToken& token) {
    scratch_.clear();
    const auto fault = decode_text(token.raw, scratch_);
    return {kept(scratch_, *arena_), fault};
}

const char* describe(TextFault fault) {
    switch (fault) {
        case TextFault::escape: return "a backslash that begins no escape of JSON";
        case TextFault::nul: return "the character U+0000, which no text may hold";
        case TextFault::surrogate: return "half of a surrogate pair, which is no character";
        case TextFault::none: break;
    }
    return "";
}

bool is_plain_number(std::string_view token) {
    constexpr std::size_t exact_digits = 15;
    const bool negative = token.starts_with('-');
    const auto digits = token.substr(negative ? 1 : 0);
    const auto point = digits.find('.');
    if (point == std::string_view::npos) {
        if (digits.size() > exact_digits || digits.find_first_of("eE") != std::string_view::npos) return false;
        return !(negative && digits == "0");
    }
    const auto fraction = digits.substr(point + 1);
    for (const char letter : fraction) {
        if (!is_digit(letter)) return false;
    }
    const bool ends_in_zero = fraction.ends_with('0');
    const bool small = digits.starts_with("0.") && fraction.starts_with("0000");
    return digits.size() <= exact_digits && !ends_in_zero && !small;
}

}  // namespace catenary::api::ingest
