#pragma once

#include "engine/matching/matcher.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace catenary::engine {

/// What a PatternMatcher does, which way ever; the calls mean what they mean there.
class MatcherState {
public:
    virtual ~MatcherState() = default;
    virtual void add(SignalHandle signal, StageMask stages, std::span<const EntityId> links, std::span<const std::vector<std::string>> distinct_values) = 0;
    /// A signal satisfies these absence conditions, bit i condition i; it is added afterwards where it satisfies stages too.
    virtual void saw_unwanted(SignalHandle signal, StageMask conditions, std::span<const EntityId> mentions);
    virtual void move_watermark(Timestamp) {}
    virtual std::optional<Timestamp> decides_at() const { return std::nullopt; }
    virtual std::vector<SignalHandle> expire(Timestamp horizon) = 0;
    virtual std::vector<FindingDelta> take_deltas() = 0;
    virtual std::vector<UnfinishedChain> judge(Timestamp watermark) = 0;
    virtual Timestamp next_judgement() const = 0;
    virtual void search(PartialSearch& search) const = 0;
    virtual std::size_t attempts() const = 0;
    virtual const Pattern& pattern() const = 0;
    virtual std::size_t bytes() const = 0;
    virtual std::uint64_t work() const = 0;
    virtual std::uint64_t capped() const = 0;
    virtual void save(SnapshotWriter& out) const = 0;
    virtual void load(SnapshotReader& in) = 0;
};

}  // namespace catenary::engine
