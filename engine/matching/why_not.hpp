#pragma once

#include "engine/matching/pattern.hpp"
#include "engine/model/entity_key.hpp"
#include "engine/model/signal.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace catenary::engine {

/// A stored signal, and whether the engine could match it.
struct SeenSignal {
    Signal signal;
    bool behind_horizon = false;  ///< came too late to be matched
    bool late = false;            ///< came behind the watermark: meets no absence condition
};

/// What is asked: why the signals do not make the pattern for the entity.
struct WhyNotQuestion {
    EntityKey entity;                     ///< canonical
    std::span<const SeenSignal> signals;  ///< in (time, source, id) order: those of the entity, under `chain` also those of whom they link to, and any others
    std::size_t unlinkable_limit = 8;     ///< a signal that names more entities of one kind links by none of it
    std::set<EntityKey> denied = {};      ///< these link nothing, as hubs do not
};

/// The first stage that failed, and by how much.
struct WhyNot {
    enum class Reason {
        matched,          ///< no stage failed: the signals make the pattern
        no_signal,        ///< no signal satisfies the stage's `match`
        behind_horizon,   ///< one does, but it came when its time had been forgotten
        fan_out,          ///< one does, but it names too many entities of the linking kind: `counted` of `needed` at most
        hub,              ///< one does, but the entity that would link it does not link: denied, or a name that identifies nobody
        not_linked,       ///< one does, but it does not name the entity that links the stages before
        not_enough,       ///< a repeated stage: `counted` of `needed` within `limit`
        wrong_order,      ///< one does, `by` before the end of the stage before
        same_instant,     ///< one does, at the instant of the stage before, and the pattern is strict or it is the same signal
        gap_too_long,     ///< one does, `by` later than the stage's own `limit` after the stage before
        span_too_long,    ///< one does, `by` later than the pattern's `limit` after the first activity
        not_absent,       ///< every stage was reached, but `condition` was met, by `closest`
        too_few_domains,  ///< every stage was reached, from `counted` domains of `needed`
    };
    struct Reached {
        std::string stage;
        SignalRef signal;
        bool operator==(const Reached&) const = default;
    };

    Reason reason = Reason::matched;
    std::string stage;                 ///< id of the one that failed; "" when none did
    std::vector<Reached> reached;      ///< the stages before it, as far as a chain got
    std::optional<SignalRef> closest;  ///< the signal that came closest to it
    std::optional<Duration> by;
    std::optional<Duration> limit;
    std::optional<std::int64_t> counted;
    std::optional<std::int64_t> needed;
    std::optional<std::size_t> condition;  ///< index among the pattern's `absent`
};
/// "no_signal" …; stable.
const char* to_string(WhyNot::Reason reason);

/// Pure. Work is bounded by signals × stages, for the last step by a million comparisons, and where something must be absent by as many listings of instances
/// as there are conditions.
WhyNot why_not(const Pattern& pattern, const WhyNotQuestion& question);

}  // namespace catenary::engine
