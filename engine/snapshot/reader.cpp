#include "engine/snapshot/reader.hpp"

#include <bit>

namespace catenary::engine {

std::uint8_t SnapshotReader::byte() { return static_cast<std::uint8_t>(raw(1).front()); }

std::string_view SnapshotReader::raw(std::size_t size) {
    require(size <= rest_.size(), "it ends too early");
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
}

std::uint64_t SnapshotReader::unsigned_number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const std::uint8_t part = byte();
        const std::uint64_t bits = part & 0x7FU;
        require(shift < 63 || bits <= 1, "a number has too many bits");
        value |= bits << shift;
        if ((part & 0x80U) == 0) return value;
    }
    throw SnapshotDamaged{"a number has too many bytes"};
}

std::int64_t SnapshotReader::signed_number() {
    const std::uint64_t zigzag = unsigned_number();
    return static_cast<std::int64_t>((zigzag >> 1U) ^ ((zigzag & 1U) != 0 ? ~std::uint64_t{0} : 0));
}

double SnapshotReader::real() {
    std::uint64_t bits = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) bits |= std::uint64_t{byte()} << shift;
    return std::bit_cast<double>(bits);
}

Timestamp SnapshotReader::time() {
    const std::uint64_t code = unsigned_number();
    if (code == 0) return Timestamp::min();
    if (code == 1) return Timestamp::max();
    if (code == 2) return last_time_ = from_micros(std::bit_cast<std::int64_t>(real()));
    const std::uint64_t zigzag = code - 3;
    const std::uint64_t difference = (zigzag >> 1U) ^ ((zigzag & 1U) != 0 ? ~std::uint64_t{0} : 0);
    last_time_ = from_micros(static_cast<std::int64_t>(static_cast<std::uint64_t>(to_micros(last_time_)) + difference));
    return last_time_;
}

std::string SnapshotReader::text() {
    const std::size_t size = count();
    return std::string{raw(size)};
}

std::size_t SnapshotReader::count() {
    const std::uint64_t count = unsigned_number();
    require(count <= rest_.size(), "it ends too early");
    return count;
}

std::shared_ptr<const Pattern> SnapshotReader::pattern() {
    const std::uint64_t number = unsigned_number();
    require(number < patterns_.size(), "an unknown pattern is named");
    return patterns_[number];
}

}  // namespace catenary::engine
