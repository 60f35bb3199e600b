#pragma once

#include "engine/matching/stage_plan.hpp"
#include "engine/matching/window.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <vector>

namespace catenary::engine {

/// When something must not have happened; both limits inclusive, `last` before `first`: at no time. Judged once the watermark is later than `last`, since
/// what comes then is late.
struct AbsenceInterval {
    Timestamp first;
    Timestamp last;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.first, self.last);
    }
};

/// The signals that satisfy a pattern's `absent` conditions, by condition and by each entity they mention. An answer costs a search; how many signals
/// there are does not matter.
class AbsenceSignals {
public:
    /// `conditions`: bit i: satisfies condition i. `mentions`: not empty, each once.
    void add(SignalHandle signal, StageMask conditions, std::span<const EntityId> mentions, const WindowSignal& facts);
    /// Counts a further holder of a signal that is here, if it is: its matcher's stages.
    void hold(SignalHandle signal);
    /// Counts a holder down; whether none is left.
    bool let_go(SignalHandle signal);

    /// Whether a signal that was not late mentions the entity in the interval.
    bool is_met(EntityId entity, std::size_t condition, const AbsenceInterval& interval) const;
    /// Appends the earliest `most` of the late ones by time, and some more of the same instant as the last.
    void late_ones(EntityId entity, std::size_t condition, const AbsenceInterval& interval, std::size_t most, std::vector<SignalHandle>& found) const;

    /// Forgets the signals for which `is_needed(entity, time)` is false; those that nobody holds any more are appended to `given_up`.
    void expire(const std::function<bool(EntityId, Timestamp)>& is_needed, std::vector<SignalHandle>& given_up);
    std::size_t bytes() const;
    /// Without the further holders: who they are says so again.
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);

private:
    struct Seen {
        Timestamp time;
        SignalHandle signal;
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.time, self.signal);
        }
        friend auto operator<=>(const Seen&, const Seen&) = default;
    };
    // Ordered trees: senders choose the times, and what comes in the wrong order must not cost more.
    struct Signals {
        std::set<Seen> on_time;
        std::set<Seen> late;
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.on_time, self.late);
        }
    };

    static std::uint64_t key(EntityId entity, std::size_t condition) { return (std::uint64_t{entity.value()} << 3U) | condition; }

    boost::unordered_flat_map<std::uint64_t, Signals> signals_;
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> holds_;  // by signal: places above, and its matcher's stages
    std::size_t places_ = 0;
};

}  // namespace catenary::engine
