#pragma once

#include "api/ingest/fault_list.hpp"
#include "api/ingest/place.hpp"
#include "api/ingest/tokens.hpp"
#include "api/ingest/value_walk.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace catenary::api::ingest {

/// Where a member's value is: its place for faults, and how many lists and objects are around it.
struct At {
    const Place& place;
    std::size_t depth;
};

/// Reads members of known types. Each function takes the whole value, records a fault where it is not what was asked for, and then answers empty.
/// Text is a view into the body or the arena. A body that is no JSON throws simdjson::simdjson_error.
class MemberReader {
public:
    MemberReader(Arena& arena, std::size_t most_depth) : strings_{arena}, walk_{strings_, faults_, most_depth} {}

    /// Forgets the faults of the item before; `text` holds the next one.
    void start(std::string_view text) {
        faults_.clear();
        strings_.start(text);
    }
    Arena& arena() { return strings_.arena(); }
    const engine::Faults& faults() const { return faults_.all(); }
    void fault(engine::FaultCode code, const Place& place, std::string detail) { faults_.add(code, place, std::move(detail)); }

    /// 1 to `most_bytes` bytes.
    std::optional<std::string_view> text(ondemand::value& value, const At& at, std::size_t most_bytes);
    /// Text on one line: without control characters and without blanks at either end.
    std::optional<std::string_view> line(ondemand::value& value, const At& at, std::size_t most_bytes);
    /// A lower-case word: a letter or digit, then letters, digits and any of "_.-".
    std::optional<std::string_view> word(ondemand::value& value, const At& at, std::size_t most_bytes);
    /// Both ends included.
    std::optional<double> number(ondemand::value& value, const At& at, double least, double most);
    std::optional<std::int64_t> integer(ondemand::value& value, const At& at, std::int64_t least, std::int64_t most);
    /// Whether `value` is of the type; else it is read away and a fault recorded.
    bool is(ondemand::json_type wanted, ondemand::value& value, const At& at);
    /// A value of any shape.
    ValueWalk::Minified any(ondemand::value& value, const At& at) { return walk_.walk(value, at.depth, at.place); }

private:
    friend class MemberNames;

    StringReader strings_;
    FaultList faults_;
    ValueWalk walk_;
};

/// The members of one object: which of the known ones is this, was it given before, is one missing.
class MemberNames {
public:
    /// At most 32 names, borrowed.
    MemberNames(MemberReader& reader, std::span<const std::string_view> names) : reader_{&reader}, names_{names} {}

    struct Found {
        std::size_t index;  ///< among the known names; their number: none of them
        std::string_view name;
    };
    /// A fault when the member was given before, below `object`.
    Found find(const ondemand::field& field, const Place& object);
    /// Reads a member nobody knows away; the fault lists what is known.
    void unknown(ondemand::value& value, const At& at);
    /// A fault at the object's member `names[index]` unless it was given.
    void require(std::size_t index, const Place& object) {
        if ((seen_ >> index & 1U) == 0) missing(index, object);
    }

private:
    Found known(std::size_t index, const Place& object);
    void missing(std::size_t index, const Place& object);

    MemberReader* reader_;
    std::span<const std::string_view> names_;
    std::uint32_t seen_ = 0;
    std::size_t next_ = 0;  ///< senders keep an order: the member after the last is the likely one
};

}  // namespace catenary::api::ingest
