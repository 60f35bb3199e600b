#pragma once

#include "engine/matching/distinct_values.hpp"
#include "engine/matching/stage_plan.hpp"
#include "engine/matching/tightest_suffix.hpp"
#include "engine/matching/timeline.hpp"
#include "engine/matching/window.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

namespace catenary::engine {

/// What the signals of one entity offer to a pattern, whatever their order. An instance needs every mandatory stage, and of a repeated one enough to count:
/// until they offer that, nothing has to be worked out.
struct Offer {
    StageMask stages = 0;
    std::int64_t counted = 0;  ///< toward the plan's `counted` stage, each signal at most `at_least`

    static Offer of(const TimelineEntry& entry, const StagePlan& plan, const SignalWindow& window, const DistinctValues& values);
    Offer& operator+=(const Offer& other);
    bool may_complete(const StagePlan& plan) const { return (plan.mandatory & ~stages) == 0 && counted >= plan.at_least; }
};

/// The signals of one linking entity. Nearly all wait for a stage that never comes, so those are small: a single one is kept in place, and a timeline is
/// made only when an instance is possible. From then on there is a timeline until the last of them is forgotten.
class Attempt {
public:
    explicit Attempt(const TimelineEntry& single) : state_{single} {}

    /// No signal is older.
    Timestamp oldest() const;
    /// Null while the signals wait.
    Timeline* timeline() const;
    std::size_t size() const;
    /// Stages that some signal satisfies; all of them once there is a timeline.
    StageMask offered(const StagePlan& plan) const;
    /// All signals, by time.
    std::span<const TimelineEntry> entries() const;
    /// The signals that wait, by time, inside an instant as they came.
    std::span<const TimelineEntry> waiting() const;
    bool may_complete(const TimelineContext& context) const;

    /// Takes a further signal. Returns by how much `bytes` grew.
    std::size_t add(const TimelineEntry& entry, TimelineContext& context);
    /// Makes the timeline, not worked out yet.
    Timeline& begin_timeline(EntityId entity, TimelineContext& context);
    void set_timeline(std::unique_ptr<Timeline> timeline);
    /// Removes the signals before `cutoff` and appends them to `removed`; see Timeline::expire. Returns whether any is left.
    bool expire(Timestamp cutoff, TimelineContext& context, std::vector<SignalHandle>& removed);
    /// Bytes held beside the object itself; those of a timeline's own vectors are estimated.
    std::size_t bytes() const;

private:
    static constexpr std::size_t worked_out_entry = sizeof(TimelineEntry) + sizeof(Segment);
    struct Waiting {
        Offer offer;
        boost::container::small_vector<TimelineEntry, 2> entries;
        std::size_t bytes() const { return sizeof(*this) + (entries.capacity() > 2 ? entries.capacity() * sizeof(TimelineEntry) : 0); }
    };
    struct Several {
        Timestamp oldest;
        std::unique_ptr<Waiting> waiting;
    };
    struct Worked {
        Timestamp oldest;
        std::unique_ptr<Timeline> timeline;
    };
    std::variant<TimelineEntry, Several, Worked> state_;
};

}  // namespace catenary::engine
