#pragma once

#include "engine/matching/matcher.hpp"
#include "engine/matching/pattern.hpp"
#include "engine/model/signal.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

// The definitions of patterns read literally: every choice is enumerated and kept when it satisfies every condition. Slow on purpose, and written
// without a look at the matcher.

namespace catenary::oracle {

struct Entity {
    std::string kind;
    std::uint32_t number;  ///< unique over all kinds
    bool denied = false;   ///< as a hub: it links only in a pattern that groups by its kind
    friend auto operator<=>(const Entity&, const Entity&) = default;
};

/// An entity as a signal names it.
struct Mention {
    std::string kind;
    std::uint32_t number;
    bool identifies = true;
};

/// What a tenant decided about linking, in the order of the log.
struct Decision {
    engine::Timestamp after;              ///< the newest event time before it in the log; the earliest there is before the first signal
    std::optional<std::size_t> limit;     ///< most entities of one kind
    std::optional<std::uint32_t> entity;  ///< whose rule it is
    bool denied = false;
};

/// What a signal of that time may link by.
std::vector<Entity> linking(const std::vector<Mention>& named, engine::Timestamp time, const std::vector<Decision>& decisions);

/// What the definitions read of a signal.
struct Signal {
    engine::SignalRef ref;
    engine::StageMask stages = 0;  ///< bit i: satisfies stage i's `match`
    std::uint8_t unwanted = 0;     ///< bit i: satisfies the `match` of absence condition i
    std::vector<Entity> entities;  ///< those it may link by
    std::int64_t count = 1;
    bool late = false;
    std::string domain;
    std::vector<std::vector<std::string>> distinct;  ///< by stage: values of its `distinct`
    std::set<std::uint32_t> also_named{};            ///< entities that it mentions and may not link by: an absence condition is met for them all the same
};

/// What one stage may take.
struct Occurrence {
    engine::Timestamp start;
    engine::Timestamp end;
    std::size_t completing;           ///< index of a signal
    std::set<std::size_t> evidence;   ///< indices of signals
    std::set<std::uint32_t> exposed;  ///< numbers of entities of the pattern's link kinds
};

/// At most 64 signals. Every occurrence of stage `stage`.
std::vector<Occurrence> occurrences(const engine::Pattern& pattern, std::size_t stage, const std::vector<Signal>& signals);

using LateAnswer = std::pair<engine::SignalRef, std::size_t>;  ///< a signal and the condition it satisfies

struct Finding {
    engine::SignalRef anchor;  ///< what its id is made of
    bool opened_late = false;  ///< by an instance with a late signal: such an anchor may be another finding's as well
    engine::Timestamp start;
    engine::Timestamp end;
    std::set<std::uint32_t> principals;
    std::map<engine::SignalRef, std::size_t> evidence;  ///< signal -> earliest stage it serves
    std::optional<engine::Timestamp> waiting_until{};   ///< the watermark that decides on the first of its instances
    std::set<LateAnswer> late_answers{};                ///< signals that met a condition, too late; the earliest sixteen
    bool more_late_answers = false;
    friend auto operator<=>(const Finding&, const Finding&) = default;
};

/// Sorted. Understands every construct of a pattern. Absence is judged by `watermark`, and signals marked late count nothing against it.
std::vector<Finding> findings(const engine::Pattern& pattern, engine::Timestamp effective_from, const std::vector<Signal>& signals,
                              engine::Timestamp watermark = engine::Timestamp::max());

}  // namespace catenary::oracle
