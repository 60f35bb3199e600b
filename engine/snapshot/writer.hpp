#pragma once

#include "engine/model/time.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace catenary::engine {

struct Pattern;

/// SHA-1 of a pattern's content or of a snapshot.
using SnapshotHash = std::array<std::uint8_t, 20>;
SnapshotHash hash_of(std::string_view bytes);
std::string hex(const SnapshotHash& hash);

/// Writes state as bytes that depend on the state alone: numbers as varints, times as differences to the time written before, unordered containers
/// sorted (codec.hpp). Never fails.
class SnapshotWriter {
public:
    /// `archive(a, b, c)`: the values after each other. What a class saves is said once, in its `fields`, for writing and reading alike.
    template <class... T>
    void operator()(const T&... values) {
        (put(*this, values), ...);
    }

    void byte(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
    void unsigned_number(std::uint64_t value);
    void signed_number(std::int64_t value);
    void real(double value);
    void time(Timestamp value);
    void text(std::string_view value);
    void raw(std::string_view value) { bytes_ += value; }
    /// A pattern by its number in `patterns`.
    void pattern(const std::shared_ptr<const Pattern>& pattern);

    /// Every pattern written so far, in order of first use, each content once.
    const std::vector<std::shared_ptr<const Pattern>>& patterns() const { return patterns_; }
    std::size_t size() const { return bytes_.size(); }
    /// What was written since the last call.
    std::string take() { return std::exchange(bytes_, {}); }

private:
    std::string bytes_;
    Timestamp last_time_{};
    std::vector<std::shared_ptr<const Pattern>> patterns_;
    std::map<const Pattern*, std::size_t> known_patterns_;
    std::map<SnapshotHash, std::size_t> by_content_;
};

}  // namespace catenary::engine
