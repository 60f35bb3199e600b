#pragma once

#include "engine/model/time.hpp"
#include "engine/snapshot/named_places.hpp"

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

/// SHA-1 of a pattern's content or of a state.
using SnapshotHash = std::array<std::uint8_t, 20>;
SnapshotHash hash_of(std::string_view bytes);
std::string hex(const SnapshotHash& hash);

/// Writes state as bytes that depend on the state alone: numbers as varints, times as differences to the time written before, unordered containers
/// sorted (codec.hpp). Never fails.
///
/// Given `NamedPlaces` it writes nothing and notes there what of a tenant's dictionary the values name: what state names is what a snapshot of it names.
class SnapshotWriter {
public:
    SnapshotWriter() = default;
    explicit SnapshotWriter(NamedPlaces& named) : named_{&named} {}
    /// Whether names alone are looked for: then nothing has to come in order.
    bool is_naming() const { return named_ != nullptr; }
    /// A number that stands for a place of the dictionary, however it is written.
    template <class Id>
    void name(const Id& id) {
        if (named_ != nullptr) named_->add(id);
    }

    /// `archive(a, b, c)`: the values after each other. What a class saves is said once, in its `fields`, for writing and reading alike.
    template <class... T>
    void operator()(const T&... values) {
        (put(*this, values), ...);
    }

    void byte(std::uint8_t value) {
        if (!is_naming()) bytes_.push_back(static_cast<char>(value));
    }
    void unsigned_number(std::uint64_t value);
    void signed_number(std::int64_t value);
    void real(double value);
    void time(Timestamp value);
    void text(std::string_view value);
    void raw(std::string_view value) {
        if (!is_naming()) bytes_ += value;
    }
    /// A pattern by its number in `patterns`.
    void pattern(const std::shared_ptr<const Pattern>& pattern);

    /// Every pattern written so far, in order of first use, each content once.
    const std::vector<std::shared_ptr<const Pattern>>& patterns() const { return patterns_; }
    std::size_t size() const { return bytes_.size(); }
    /// Room for so many bytes, which may be a guess.
    void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
    /// What was written since the last call.
    std::string take() { return std::exchange(bytes_, {}); }

private:
    NamedPlaces* named_ = nullptr;
    std::string bytes_;
    Timestamp last_time_{};
    std::vector<std::shared_ptr<const Pattern>> patterns_;
    std::map<const Pattern*, std::size_t> known_patterns_;
    std::map<SnapshotHash, std::size_t> by_content_;
};

}  // namespace catenary::engine
