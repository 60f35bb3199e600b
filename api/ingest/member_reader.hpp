#pragma once

#include "api/ingest/tokens.hpp"
#include "api/ingest/trail.hpp"
#include "api/ingest/value_walk.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace catenary::api::ingest {

/// Reads members of known types. Each function takes the whole value, records a fault where it is not what was asked for, and then answers empty.
/// Text is a view into the body or the arena. A body that is no JSON throws simdjson::simdjson_error.
class MemberReader {
public:
    MemberReader(Arena& arena, std::size_t most_depth) : arena_{&arena}, walk_{arena, most_depth}, trail_{faults_} {}

    /// Forgets the faults of the item before.
    void start_item() {
        faults_.clear();
        trail_.restart();
    }

    Arena& arena() { return *arena_; }
    Trail& trail() { return trail_; }
    ValueWalk& walk() { return walk_; }
    engine::Faults& faults() { return faults_; }

    /// The name of a member; a fault at the trail when it cannot be decoded.
    std::string_view name(ondemand::field& field);
    /// 1 to `most_bytes` bytes.
    std::optional<std::string_view> text(ondemand::value& value, std::size_t depth, std::size_t most_bytes);
    /// Text on one line: without control characters and without white space at either end.
    std::optional<std::string_view> line(ondemand::value& value, std::size_t depth, std::size_t most_bytes);
    /// A lower-case word: a letter or digit, then letters, digits and any of "_.-".
    std::optional<std::string_view> word(ondemand::value& value, std::size_t depth, std::size_t most_bytes);
    /// Both ends included.
    std::optional<double> number(ondemand::value& value, std::size_t depth, double least, double most);
    std::optional<std::int64_t> integer(ondemand::value& value, std::size_t depth, std::int64_t least, std::int64_t most);
    /// Whether `value` is of the type; else it is read away and a fault recorded.
    bool is(ondemand::json_type wanted, ondemand::value& value, std::size_t depth);
    /// Reads a member nobody knows away; the fault lists what is known.
    void unknown(ondemand::value value, std::size_t depth, std::string_view known);

    void fault(engine::FaultCode code, std::string detail) { trail_.fault(code, std::move(detail)); }

private:
    Arena* arena_;
    ValueWalk walk_;
    engine::Faults faults_;
    Trail trail_;
    std::string scratch_;
};

/// Keeps count of which of an object's known members have been given.
class NamedOnce {
public:
    /// At most 32 names, borrowed.
    NamedOnce(MemberReader& members, std::span<const std::string_view> names) : members_{&members}, names_{names} {}

    /// Index of `name` among the known ones, or their number. A fault when it was given before.
    std::size_t place(std::string_view name);
    bool given(std::string_view name) const;
    /// A fault at the object's member `name` unless it was given.
    void require(std::string_view name);

private:
    MemberReader* members_;
    std::span<const std::string_view> names_;
    std::uint32_t seen_ = 0;
    std::size_t next_ = 0;  ///< senders keep an order: the member after the last is the likely one
};

}  // namespace catenary::api::ingest
