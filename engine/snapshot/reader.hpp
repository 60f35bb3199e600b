#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace catenary::engine {

struct Pattern;
struct SignalHandleTag;
struct DefinitionTag;
struct FindingIndexTag;
struct GroupIndexTag;

/// The bytes are no state of a lane. Thrown while a lane is being read, caught where reading began (Lane::load): it never leaves the engine.
class SnapshotDamaged : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Reads what SnapshotWriter wrote. Trusts nothing: a length is checked against the bytes that are left, a number of a place (a signal, an entity, a
/// finding …) against the places that have been read. Throws SnapshotDamaged.
class SnapshotReader {
public:
    /// `bytes` outlives it. `patterns`: what the numbers of patterns mean.
    SnapshotReader(std::string_view bytes, std::vector<std::shared_ptr<const Pattern>> patterns) : rest_{bytes}, patterns_{std::move(patterns)} {}

    template <class... T>
    void operator()(T&... values) {
        (get(*this, values), ...);
    }

    std::uint8_t byte();
    std::uint64_t unsigned_number();
    std::int64_t signed_number();
    double real();
    Timestamp time();
    std::string text();
    std::string_view raw(std::size_t size);
    /// How many elements follow, each of at least one byte.
    std::size_t count();
    std::shared_ptr<const Pattern> pattern();
    template <class T>
    T number() {
        const std::uint64_t value = unsigned_number();
        if (!std::in_range<T>(value)) throw SnapshotDamaged{"a number is out of range"};
        return static_cast<T>(value);
    }

    std::size_t left() const { return rest_.size(); }
    static void require(bool condition, const char* what) {
        if (!condition) throw SnapshotDamaged{what};
    }

    /// The places of the tenant being read that may be named from now on.
    struct Places {
        std::vector<bool> strings;
        std::vector<bool> entities;
        std::vector<bool> definitions;
        std::vector<bool> signals;
        std::vector<bool> findings;
        std::size_t groups = 0;
    };
    Places& places() { return places_; }

    template <class Tag, class Rep>
    void check(const StrongId<Tag, Rep>& id) const {
        if constexpr (std::is_same_v<Tag, SymbolTag>) require(has(places_.strings, id.value()), "an unknown string is named");
        else if constexpr (std::is_same_v<Tag, EntityTag>) require(has(places_.entities, id.value()), "an unknown entity is named");
        else if constexpr (std::is_same_v<Tag, DefinitionTag>) require(has(places_.definitions, id.value()), "an unknown definition is named");
        else if constexpr (std::is_same_v<Tag, SignalHandleTag>) require(has(places_.signals, id.value()), "a signal is named that is not held");
        else if constexpr (std::is_same_v<Tag, FindingIndexTag>) require(has(places_.findings, id.value()), "an unknown finding is named");
        else if constexpr (std::is_same_v<Tag, GroupIndexTag>) require(id.value() < places_.groups, "an unknown group is named");
    }

private:
    static bool has(const std::vector<bool>& places, std::uint32_t place) { return place < places.size() && places[place]; }

    std::string_view rest_;
    std::vector<std::shared_ptr<const Pattern>> patterns_;
    Timestamp last_time_{};
    Places places_;
};

}  // namespace catenary::engine
