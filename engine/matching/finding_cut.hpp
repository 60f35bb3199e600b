#pragma once

#include "engine/matching/timeline.hpp"

#include <compare>
#include <cstddef>
#include <optional>
#include <vector>

namespace catenary::engine {

/// Where an instance lies in the order of semantics.md 4.3, signals apart.
struct InstanceSpan {
    Timestamp start;
    Timestamp end;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.start, self.end);
    }
    friend auto operator<=>(const InstanceSpan&, const InstanceSpan&) = default;
};

/// Instances chosen by their start and end alone: a union of boxes without overlap, all limits inclusive.
class InstanceRegion {
public:
    struct Box {
        Timestamp start_min = Timestamp::min();
        Timestamp start_max = Timestamp::max();
        Timestamp end_min = Timestamp::min();
        Timestamp end_max = Timestamp::max();
    };

    static InstanceRegion everything() { return InstanceRegion{{Box{}}}; }
    static InstanceRegion exactly(const InstanceSpan& span) { return InstanceRegion{{Box{span.start, span.start, span.end, span.end}}}; }
    explicit InstanceRegion(std::vector<Box> boxes);

    const std::vector<Box>& boxes() const { return boxes_; }
    InstanceRegion intersection(const InstanceRegion& other) const;
    /// `other` must not overlap.
    void add(const InstanceRegion& other) { boxes_.insert(boxes_.end(), other.boxes_.begin(), other.boxes_.end()); }

    InstanceRegion from(const InstanceSpan& span) const;  ///< at or after it in the order
    InstanceRegion before(const InstanceSpan& span) const;
    InstanceRegion starting_from(Timestamp start) const;
    InstanceRegion starting_before(Timestamp start) const;
    InstanceRegion ending_by(Timestamp end) const;
    InstanceRegion ending_after(Timestamp end) const;

private:
    std::vector<Box> boxes_;
};

/// The signals of one connected set that lie in one timeline.
struct SetTimeline {
    const Timeline* timeline;
    std::vector<CompletionKey> completions;  ///< those of the set, sorted
};

/// What a finding is made of.
struct FoundEvidence {
    SignalHandle signal;
    StageMask stages;  ///< all it serves; lone_bit may be among them
};

/// Sorts by handle and makes several services of one signal one.
void merge_services(std::vector<FoundEvidence>& evidence);

/// Answers questions about the instances of one connected set by working them out again under limits.
class SetInstances {
public:
    /// `earliest`: no instance of the set starts before it. The timelines' entries must hold still while this lives.
    SetInstances(std::vector<SetTimeline> timelines, Timestamp earliest, TimelineContext& context);

    /// The least in the order of those in the region, if there is one.
    std::optional<InstanceSpan> first(const InstanceRegion& region, bool without_late) const;

    struct Summary {
        Timestamp start = Timestamp::max();
        Timestamp end = Timestamp::min();
        std::vector<EntityId> principals;     ///< sorted
        std::vector<FoundEvidence> evidence;  ///< sorted by handle, each signal once
    };
    Summary summary(const InstanceRegion& region, bool without_late) const;

    /// Of the instances with exactly this span: the least signal, by (time, source, id), that completes the last stage of one of them.
    SignalHandle anchor(const InstanceSpan& span, bool without_late) const;

    const std::vector<SetTimeline>& timelines() const { return timelines_; }
    Timestamp earliest() const { return earliest_; }
    TimelineContext& context() const { return *context_; }

private:
    template <class Visit>
    void each(const InstanceRegion& region, bool without_late, Visit visit) const;

    std::vector<SetTimeline> timelines_;
    Timestamp earliest_;
    TimelineContext* context_;
};

/// One finding of a connected set.
struct CutFinding {
    InstanceSpan opening;  ///< of the instance that opened it
    bool opened_late;      ///< that instance has a late signal
    SignalHandle anchor;
    SetInstances::Summary summary;
};

/// Cuts the instances of `base` into findings that span at most `max_span` (semantics.md 4.3): those that instances without late signals opened, in
/// order, then those that late ones opened. `has_late`: some signal of the set was late.
std::vector<CutFinding> cut_into_findings(const SetInstances& instances, const InstanceRegion& base, Duration max_span, bool has_late);

}  // namespace catenary::engine
