#include "engine/incidents/digest_sum.hpp"

#include <boost/uuid/detail/sha1.hpp>

namespace catenary::engine {

void DigestSum::add(std::string_view text) {
    boost::uuids::detail::sha1 sha1;
    sha1.process_bytes(text.data(), text.size());
    boost::uuids::detail::sha1::digest_type digest;
    sha1.get_digest(digest);
    DigestSum one;
    for (std::size_t i = 0; i < 5; ++i) one.words_[i] = static_cast<std::uint32_t>(digest[4 - i]);
    add(one);
}

void DigestSum::add(const DigestSum& other) {
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < 5; ++i) {
        carry += std::uint64_t{words_[i]} + other.words_[i];
        words_[i] = static_cast<std::uint32_t>(carry);
        carry >>= 32U;
    }
}

std::string DigestSum::hex() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 5; i-- > 0;) {
        for (int shift = 28; shift >= 0; shift -= 4) text += digits[words_[i] >> static_cast<unsigned>(shift) & 15U];
    }
    return text;
}

}  // namespace catenary::engine
