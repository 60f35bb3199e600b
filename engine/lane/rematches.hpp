#pragma once

#include "engine/incidents/finding_order.hpp"
#include "engine/model/entity_key.hpp"
#include "engine/model/signal.hpp"
#include "engine/model/time.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace catenary::engine {

/// A signal for which stored ones are to be matched again, and the entities that it may be linked to them by.
struct RematchSeed {
    SignalRef signal;
    std::vector<EntityKey> entities;  ///< sorted; empty: its pattern does not link
};

/// What one deployment has to match again, and what of its findings only the store knows whole. A matcher forgets what lies behind the horizon; where a signal
/// comes for that time, its findings are worked out from stored signals, by a matcher that forgot nothing:
///
/// - A signal behind the horizon **waits** for it.
/// - What was found so is **kept** from then on: the deployment's own matcher has only some of those signals, and where it would tell of such a finding, that
///   finding is worked out from the store again instead.
/// - Signals that come later, not behind the horizon but **near** one that did, are matched again with it, since their matcher has never seen it.
/// - Where absence is yet to be judged, that is done when the watermark has come there.
///
/// So what is found is a function of the stored signals, and not of when they are matched again.
class Rematches {
public:
    static constexpr std::size_t most_waiting = 10'000;           ///< signals of one deployment
    static constexpr std::size_t most_waiting_bytes = 2U << 20U;  ///< of their names
    static constexpr std::size_t most_at_once = 50;               ///< of them, in one re-match
    static constexpr std::size_t most_near = 20'000;              ///< entities

    /// Whether it waits from now on, or did so already. False: too many wait.
    bool want(RematchSeed seed);
    /// The same, unless something of this finding waits already.
    bool want(const FindingId& finding, RematchSeed seed);
    std::size_t waiting() const { return waiting_.size(); }
    /// Event time of the earliest that waits.
    std::optional<Timestamp> oldest() const;
    /// Whether one of that time waits, both limits inclusive.
    bool waits_between(Timestamp from, Timestamp to) const;
    /// The earliest that wait, none further than `apart` from the first.
    std::vector<RematchSeed> next(Duration apart) const;
    /// They wait no longer.
    void done(std::span<const RematchSeed> seeds);
    std::vector<SignalRef> all_waiting() const;

    /// Tells of these findings come from the store from now on.
    void keep(const FindingId& finding, Timestamp end);
    bool keeps_any() const { return !kept_.empty(); }
    bool keeps(const FindingId& finding) const { return kept_.contains(finding); }

    /// Stands for whomever a signal of a pattern that does not link names.
    static EntityKey anybody() { return {}; }
    /// Signals of these entities and times are matched again. False: too many entities, not all are noted.
    bool note_near(std::span<const EntityKey> entities, Timestamp from, Timestamp to);
    /// One comparison: false for nearly all.
    bool may_be_near(Timestamp time) const { return time <= near_until_; }
    bool is_near(const EntityKey& entity, Timestamp time) const;

    /// Once the watermark has come to `time`, this one waits.
    void decide_at(Timestamp time, RematchSeed seed);
    std::optional<Timestamp> decides_at() const;
    /// Those whose time has come.
    std::vector<RematchSeed> decided(Timestamp watermark);

    /// No signal behind `horizon` is given to the matcher any more, which forgets findings that ended before `cutoff`.
    void forget(Timestamp horizon, Timestamp cutoff);
    bool empty() const { return waiting_.empty() && kept_.empty() && near_.empty() && undecided_.empty(); }
    std::size_t bytes() const;

    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.waiting_, self.waiting_bytes_, self.told_, self.kept_, self.near_, self.near_until_, self.undecided_);
    }

private:
    struct Interval {
        Timestamp from;
        Timestamp to;
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.from, self.to);
        }
    };
    std::map<SignalRef, std::vector<EntityKey>> waiting_;
    std::size_t waiting_bytes_ = 0;
    std::map<FindingId, SignalRef, FindingIdLess> told_;  ///< the matcher told of these, and one of their signals waits
    std::map<FindingId, Timestamp, FindingIdLess> kept_;  ///< and their ends
    std::map<EntityKey, Interval> near_;
    Timestamp near_until_ = Timestamp::min();  ///< the latest of those
    std::map<std::pair<Timestamp, SignalRef>, std::vector<EntityKey>> undecided_;
};

/// Lets so many re-matches through in each minute of admission. That is time as the log tells it: a replay makes them after the same entries.
class RematchAllowance {
public:
    static constexpr std::int64_t most_a_minute = 10;
    bool has_room(Timestamp admitted) const { return !minute_ || minute_of(admitted) > *minute_ || taken_ < most_a_minute; }
    void take(Timestamp admitted);
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.minute_, self.taken_);
    }

private:
    static Timestamp minute_of(Timestamp admitted) { return std::chrono::floor<std::chrono::minutes>(admitted); }
    std::optional<Timestamp> minute_;
    std::int64_t taken_ = 0;
};

}  // namespace catenary::engine
