#pragma once

#include "engine/matching/distinct_values.hpp"
#include "engine/matching/stage_plan.hpp"
#include "engine/matching/window.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace catenary::engine {

/// One signal of one linking entity.
struct TimelineEntry {
    Timestamp time;
    SignalHandle signal;
    StageMask stages;  ///< the stages it satisfies, and `late_bit`
    StageMask served;  ///< the stages it serves in some counted instance, and `lone_bit`
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.time, self.signal, self.stages, self.served);
    }
};
/// Set in `TimelineEntry::stages`: the signal was late.
constexpr StageMask late_bit = 1U << 15U;

/// Of a repeated stage: the shortest run of the newest signals that still makes `at_least`, as signals are appended in time order. Its first signal
/// only moves forward, so that a signal costs O(1) amortised.
class TightestSuffix {
public:
    TightestSuffix(StageIndex stage, const StagePlan& plan);

    StageIndex stage() const { return stage_; }
    /// Takes entries[index], the next in time order; others of the stage before it have been taken.
    void push(const std::vector<TimelineEntry>& entries, std::size_t index, const SignalWindow& window, const DistinctValues& values);
    /// Starts over as if just entries [0, end) had been taken; also after entries were removed at the front.
    void restart(const std::vector<TimelineEntry>& entries, std::size_t end, const SignalWindow& window, const DistinctValues& values);

    /// Start of the occurrence completing at `time`, the time of the newest entry taken; empty when there is none.
    std::optional<Timestamp> start(const std::vector<TimelineEntry>& entries, Timestamp time) const;
    /// Where it starts: an entry with that time.
    std::size_t first() const { return first_; }
    /// Whether a late signal is among those from `start` on.
    bool late_since(Timestamp start) const { return last_late_ && *last_late_ >= start; }
    /// What was counted in the run is left out and counted again: of entries [first, end).
    void save(SnapshotWriter& out) const;
    void load(const std::vector<TimelineEntry>& entries, std::size_t end, const SignalWindow& window, const DistinctValues& values, SnapshotReader& in);
    std::size_t bytes() const { return counts_ ? sizeof(*counts_) + counts_->bucket_count() * 9 : 0; }

private:
    using Counts = boost::unordered_flat_map<DistinctValues::Value, std::uint32_t>;

    void include(const TimelineEntry& entry, const SignalWindow& window, const DistinctValues& values);
    bool drop_first(const TimelineEntry& entry, const SignalWindow& window, const DistinctValues& values);
    std::int64_t weight(const TimelineEntry& entry, const SignalWindow& window) const;

    StageIndex stage_;
    std::int64_t at_least_;
    Duration within_;
    std::size_t first_ = 0;  // entries before it are not in the run
    std::int64_t sum_ = 0;   // of the run: counts, each at most at_least_, or different values
    std::optional<Timestamp> last_late_;
    std::unique_ptr<Counts> counts_;  // how often each value is in the run; only for a stage that counts values
};

}  // namespace catenary::engine
