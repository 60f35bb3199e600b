#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace catenary::engine {

/// A hash of text that takes eight characters at a time. Senders choose the texts, and could choose such that collide: a process that takes any in sets a key
/// of its own first. Tables that use it show nothing of their order, so that no result depends on the key.
struct TextHash {
    using is_avalanching = void;  // boost need not mix it again
    std::size_t operator()(std::string_view text) const { return mixed(text, 0); }

    /// Once, at the start of the process: tables that exist already would be lost.
    static void set_key(std::uint64_t key) { key_ = key; }

    static std::size_t mixed(std::string_view text, std::uint64_t seed) {
        std::uint64_t state = seed ^ key_ ^ (text.size() * 0x9E37'79B9'7F4A'7C15U);
        const char* at = text.data();
        std::size_t left = text.size();
        for (; left > 8; left -= 8, at += 8) state = folded(state ^ read<std::uint64_t>(at), 0xE703'7ED1'A0B4'28DBU);
        // What is left, in reads of fixed size that may overlap.
        std::uint64_t last = 0;
        if (left >= 4) {
            last = std::uint64_t{read<std::uint32_t>(at)} << 32U | read<std::uint32_t>(at + left - 4);
        } else if (left > 0) {
            const auto byte = [&](std::size_t place) { return std::uint64_t{static_cast<unsigned char>(at[place])}; };
            last = byte(0) << 16U | byte(left / 2) << 8U | byte(left - 1);
        }
        return folded(state ^ last, 0x8EBC'6AF0'9C88'C6E3U);
    }

private:
    inline static std::uint64_t key_ = 0;

    template <class Word>
    static Word read(const char* from) {
        Word word = 0;
        std::memcpy(&word, from, sizeof word);
        return word;
    }
    static std::uint64_t folded(std::uint64_t left, std::uint64_t right) {
        __extension__ using Wide = unsigned __int128;
        const Wide product = static_cast<Wide>(left ^ 0xA076'1D64'78BD'642FU) * right;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
    }
};

}  // namespace catenary::engine
