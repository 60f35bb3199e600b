#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace catenary::engine {

/// A hash of text that takes eight characters at a time. Tables that use it show nothing of their order.
struct TextHash {
    using is_avalanching = void;  // boost need not mix it again
    std::size_t operator()(std::string_view text) const { return mixed(text, 0); }

    static std::size_t mixed(std::string_view text, std::uint64_t seed) {
        std::uint64_t state = seed ^ (text.size() * 0x9E37'79B9'7F4A'7C15U);
        const char* at = text.data();
        std::size_t left = text.size();
        for (; left >= 8; left -= 8, at += 8) state = folded(state ^ read(at, 8), 0xE703'7ED1'A0B4'28DBU);
        if (left > 0) state = folded(state ^ read(at, left), 0x8EBC'6AF0'9C88'C6E3U);
        return folded(state, 0x5896'66A9'6DD1'2E51U);
    }

private:
    static std::uint64_t read(const char* from, std::size_t size) {
        std::uint64_t word = 0;
        std::memcpy(&word, from, size);
        return word;
    }
    static std::uint64_t folded(std::uint64_t left, std::uint64_t right) {
        __extension__ using Wide = unsigned __int128;
        const Wide product = static_cast<Wide>(left ^ 0xA076'1D64'78BD'642FU) * right;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
    }
};

}  // namespace catenary::engine
