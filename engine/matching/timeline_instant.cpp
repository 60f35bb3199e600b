#include "engine/matching/segment_search.hpp"
#include "engine/matching/timeline.hpp"

#include <algorithm>
#include <array>

namespace catenary::engine {

// Forward: what one instant adds to the chains of chosen stages that may still become instances.

SegmentList& Timeline::list(StageIndex first, StageIndex last, bool begins) {
    for (SegmentList& known : lists_) {
        if (known.first == first && known.last == last && known.begins == begins) return known;
    }
    return lists_.emplace_back(SegmentList{first, last, begins, {}});
}

std::optional<Timestamp> Timeline::latest_before(StageIndex stage, Timestamp gate, Timestamp floor, TimelineContext& context) const {
    std::optional<Timestamp> latest;
    for (const SegmentList& list : lists_) {
        if (!has_stage(context.plan.previous[stage], list.last)) continue;
        const std::size_t count = count_up_to(list.segments, gate, context.work);
        if (count == 0) continue;
        const Timestamp candidate = list.segments[count - 1].latest;
        if (candidate >= floor && (!latest || candidate > *latest)) latest = candidate;
    }
    return latest;
}

void Timeline::work_out_instant(std::size_t begin, std::size_t end, TimelineContext& context) {
    const StagePlan& plan = context.plan;
    const InstanceLimits& limits = context.limits;
    const Timestamp time = entries_[begin].time;
    const Timestamp floor = std::max(time - plan.within, limits.start_min);

    StageMask available = 0;
    for (std::size_t i = begin; i < end; ++i) {
        if (limits.without_late && (entries_[i].stages & late_bit) != 0) continue;
        available = static_cast<StageMask>(available | entries_[i].stages);
    }
    context.work += end - begin;
    available = static_cast<StageMask>(available & plan.all & ~plan.repeated);
    std::array<Timestamp, max_stages> start;
    start.fill(time);
    std::array<std::uint32_t, max_stages> from{};
    for (std::size_t r = 0; r < suffixes_.size(); ++r) {
        const TightestSuffix& suffix = suffixes_[r];
        if (!open_starts_[r] || (limits.without_late && suffix.late_since(*open_starts_[r]))) continue;
        available = static_cast<StageMask>(available | stage_bit(suffix.stage()));
        start[suffix.stage()] = *open_starts_[r];
        from[suffix.stage()] = static_cast<std::uint32_t>(suffix.first());
    }
    if (available == 0) return;

    // Single stages.
    StageMask reached = 0;  // stages that a chain can enter at this instant
    StageMask beginning = 0;
    StageMask timeless = 0;  // completed within the instant
    std::array<Timestamp, max_stages> latest{};
    each_stage(available, [&](StageIndex stage) {
        if (start[stage] == time) timeless = static_cast<StageMask>(timeless | stage_bit(stage));
        const bool begins = has_stage(plan.first, stage) && start[stage] >= floor && start[stage] <= limits.start_max;
        if (begins) {
            latest[stage] = start[stage];
            beginning = static_cast<StageMask>(beginning | stage_bit(stage));
        } else {
            const Segment probe{.time = time, .start = start[stage], .latest = {}, .entry = 0, .from = 0, .visitor = 0, .visited = 0, .available = 0};
            const auto before = latest_before(stage, gate_of(probe, plan.strict), floor, context);
            if (!before) return;
            latest[stage] = *before;
        }
        reached = static_cast<StageMask>(reached | stage_bit(stage));
    });
    if (reached == 0) return;

    const auto append = [&](StageIndex first, StageIndex last) {
        list(first, last, has_stage(beginning, first))
            .segments.push_back({.time = time,
                                 .start = start[first],
                                 .latest = latest[first],
                                 .entry = static_cast<std::uint32_t>(begin),
                                 .from = from[first],
                                 .visitor = 0,
                                 .visited = 0,
                                 .available = static_cast<StageMask>(timeless | stage_bit(first))});
    };
    each_stage(reached, [&](StageIndex stage) { append(stage, stage); });

    // Several stages at once, by distinct signals.
    if (!plan.strict && stage_count(available) > 1) {
        group_at(begin, available, context);
        each_stage(reached, [&](StageIndex first) {
            each_stage(timeless, [&](StageIndex last) {
                if (last <= first) return;
                const auto needed = static_cast<StageMask>(stage_bit(first) | stage_bit(last) | plan.mandatory_between(first, last));
                if ((needed & ~(timeless | stage_bit(first))) != 0 || !context.group.can_serve(needed)) return;
                append(first, last);
            });
        });
    }

    if (time < limits.end_min || time > limits.end_max) return;
    if (plan.lone && has_stage(beginning, *plan.lone)) {
        for (std::size_t i = begin; i < end; ++i) {
            if (has_stage(entries_[i].stages, *plan.lone)) complete_alone(i, context);
        }
    }
    each_stage(plan.last, [&](StageIndex last) { complete(last, begin, context); });
}

void Timeline::group_at(std::size_t entry, StageMask available, TimelineContext& context) const {
    context.classes.clear();
    const Timestamp time = entries_[entry].time;
    for (std::size_t i = entry; i < entries_.size() && entries_[i].time == time; ++i) {
        InstantGroup::add(context.classes, entries_[i].stages, i);
        ++context.work;
    }
    context.group.assign(context.classes, available, context.limits.without_late ? late_bit : StageMask{0});
}

}  // namespace catenary::engine
