#include "engine/snapshot/writer.hpp"

#include "engine/snapshot/pattern_identity.hpp"

#include <boost/uuid/detail/sha1.hpp>

#include <bit>

namespace catenary::engine {

SnapshotHash hash_of(std::string_view bytes) {
    boost::uuids::detail::sha1 sha1;
    sha1.process_bytes(bytes.data(), bytes.size());
    boost::uuids::detail::sha1::digest_type digest;
    sha1.get_digest(digest);
    SnapshotHash hash{};
    for (std::size_t i = 0; i < hash.size(); ++i) hash[i] = static_cast<std::uint8_t>(digest[i / 4] >> (24 - 8 * (i % 4)));
    return hash;
}

std::string hex(const SnapshotHash& hash) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : hash) {
        text += digits[byte >> 4U];
        text += digits[byte & 15U];
    }
    return text;
}

void SnapshotWriter::unsigned_number(std::uint64_t value) {
    if (is_naming()) return;
    while (value >= 0x80) {
        byte(static_cast<std::uint8_t>(value | 0x80));
        value >>= 7U;
    }
    byte(static_cast<std::uint8_t>(value));
}

void SnapshotWriter::signed_number(std::int64_t value) {
    const auto sign = value < 0 ? ~std::uint64_t{0} : std::uint64_t{0};
    unsigned_number((static_cast<std::uint64_t>(value) << 1U) ^ sign);
}

void SnapshotWriter::real(double value) {
    if (is_naming()) return;
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (unsigned shift = 0; shift < 64; shift += 8) byte(static_cast<std::uint8_t>(bits >> shift));
}

void SnapshotWriter::time(Timestamp value) {
    if (is_naming()) return;
    // The ends of time stand for "never" in many places and would spoil the differences.
    if (value == Timestamp::min()) return byte(0);
    if (value == Timestamp::max()) return byte(1);
    const auto difference = static_cast<std::uint64_t>(to_micros(value)) - static_cast<std::uint64_t>(to_micros(last_time_));
    const auto zigzag = (difference << 1U) ^ ((difference >> 63U) != 0 ? ~std::uint64_t{0} : 0);
    if (zigzag > ~std::uint64_t{0} - 3) {
        byte(2);
        real(std::bit_cast<double>(to_micros(value)));
    } else {
        unsigned_number(zigzag + 3);
    }
    last_time_ = value;
}

void SnapshotWriter::text(std::string_view value) {
    unsigned_number(value.size());
    raw(value);
}

void SnapshotWriter::pattern(const std::shared_ptr<const Pattern>& pattern) {
    if (is_naming()) return;
    auto known = known_patterns_.find(pattern.get());
    if (known == known_patterns_.end()) {
        const auto [same, is_new] = by_content_.try_emplace(content_hash(*pattern), patterns_.size());
        if (is_new) patterns_.push_back(pattern);
        known = known_patterns_.emplace(pattern.get(), same->second).first;
    }
    unsigned_number(known->second);
}

}  // namespace catenary::engine
