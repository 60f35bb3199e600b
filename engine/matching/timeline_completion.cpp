#include "engine/matching/segment_search.hpp"
#include "engine/matching/timeline.hpp"

#include <algorithm>
#include <array>

namespace catenary::engine {

// Backward: from the instant at which instances complete to all that lies on one of them. A completion visits each segment at most once for its last
// stage, over all completions, so that the walks of a timeline cost O(1) amortised for each segment and last stage.

struct Timeline::Walk {
    std::uint32_t completion;
    StageMask last;
    Timestamp floor;                         // instances ending here start no earlier
    std::array<Timestamp, max_stages> gate;  // a stage that ends by then can be followed on to the completion
    std::uint32_t met = no_vertex;           // the completion of the newest `meets`
};

namespace {

bool counts(const InstanceLimits& limits, const CompletionKey& key) {
    return limits.only == nullptr || std::binary_search(limits.only->begin(), limits.only->end(), key);
}

}  // namespace

void Timeline::complete_alone(std::size_t entry, TimelineContext& context) {
    const TimelineEntry& one = entries_[entry];
    if (context.limits.without_late && (one.stages & late_bit) != 0) return;
    if (!counts(context.limits, {one.time, *context.plan.lone, one.signal})) return;
    completions_.push_back({.time = one.time,
                            .first_start = one.time,
                            .trace_begin = static_cast<std::uint32_t>(traces_.size()),
                            .vertex = no_vertex,
                            .last = *context.plan.lone,
                            .alone = true});
    traces_.push_back({Trace::Kind::alone, 0, 0, static_cast<std::uint32_t>(entry), 0});
    entries_[entry].served = static_cast<StageMask>(entries_[entry].served | lone_bit);
}

void Timeline::complete(StageIndex last, std::size_t begin, TimelineContext& context) {
    const StagePlan& plan = context.plan;
    const Timestamp time = entries_[begin].time;
    if (!counts(context.limits, {time, last})) return;

    Walk walk{.completion = static_cast<std::uint32_t>(completions_.size()),
              .last = stage_bit(last),
              .floor = std::max(time - plan.within, context.limits.start_min),
              .gate = {},
              .met = no_vertex};
    walk.gate.fill(Timestamp::min());
    Timestamp first_start = Timestamp::max();
    bool any = false;

    const auto open_gates = [&](const SegmentList& list, const Segment& segment) {
        each_stage(plan.previous[list.first], [&](StageIndex before) { walk.gate[before] = std::max(walk.gate[before], gate_of(segment, plan.strict)); });
    };
    const auto begin_completion = [&] {
        if (any) return;
        any = true;
        completions_.push_back(
            {.time = time, .first_start = time, .trace_begin = static_cast<std::uint32_t>(traces_.size()), .vertex = no_vertex, .last = last, .alone = false});
    };

    for (std::size_t l = 0; l < lists_.size(); ++l) {
        const SegmentList& list = lists_[l];
        if (list.last != last || list.segments.empty() || list.segments.back().time != time) continue;
        const Segment& segment = list.segments.back();
        if (segment.latest < walk.floor) continue;
        // Alone, a signal of this stage is an instance of its own; here it counts only as the last of several.
        if (list.first == last && plan.lone == last && list.begins && !latest_before(last, gate_of(segment, plan.strict), walk.floor, context)) {
            continue;
        }
        begin_completion();
        open_gates(list, segment);
        if (list.begins) first_start = std::min(first_start, segment.start);
        take(walk, l, list.segments.size() - 1, context);
    }
    if (!any) return;

    for (StageIndex stage = last; stage-- > 0;) {
        if (walk.gate[stage] == Timestamp::min()) continue;
        for (std::size_t l = 0; l < lists_.size(); ++l) {
            const SegmentList& list = lists_[l];
            if (list.last != stage) continue;
            const std::size_t count = count_up_to(list.segments, walk.gate[stage], context.work);
            if (count == 0 || list.segments[count - 1].latest < walk.floor) continue;
            open_gates(list, list.segments[count - 1]);
            if (list.begins) {
                const auto earliest = std::partition_point(list.segments.begin(), list.segments.begin() + static_cast<std::ptrdiff_t>(count),
                                                           [&](const Segment& one) { return one.start < walk.floor; });
                first_start = std::min(first_start, earliest->start);
            }
            for (std::size_t s = count; s-- > 0 && list.segments[s].latest >= walk.floor;) {
                ++context.work;
                const bool known = (list.segments[s].visited & walk.last) != 0;
                take(walk, l, s, context);
                if (known) break;  // whatever lies before it and within reach was visited as well, by the completions before
            }
        }
    }
    completions_[walk.completion].first_start = first_start;
}

void Timeline::take(Walk& walk, std::size_t list, std::size_t index, TimelineContext& context) {
    Segment& segment = lists_[list].segments[index];
    const bool fresh = segment.visited == 0;
    if (!fresh && segment.visitor != walk.completion && segment.visitor != walk.met) {
        walk.met = segment.visitor;
        traces_.push_back({Trace::Kind::meets, 0, 0, segment.visitor, 0});
    }
    if ((segment.visited & walk.last) != 0) return;
    traces_.push_back({Trace::Kind::visit, walk.last, 0, static_cast<std::uint32_t>(list), static_cast<std::uint32_t>(index)});
    segment.visited = static_cast<StageMask>(segment.visited | walk.last);
    if (!fresh) return;
    segment.visitor = walk.completion;
    serve(lists_[list], segment, context);
}

void Timeline::serve(const SegmentList& list, const Segment& segment, TimelineContext& context) {
    const StagePlan& plan = context.plan;
    if (list.first == list.last) {
        if (has_stage(plan.repeated, list.first)) {
            serve_span(list.first, segment.from, segment.entry, context);
            return;
        }
        group_at(segment.entry, stage_bit(list.first), context);
        context.services.clear();
        for (const InstantGroup::Class& one : context.classes) {
            const bool serves = context.group.can_serve(stage_bit(list.first), list.first, one.mask);
            context.services.push_back(serves ? stage_bit(list.first) : StageMask{0});
        }
        serve_by_class(segment.entry, context);
        return;
    }

    group_at(segment.entry, segment.available, context);
    const auto needed = static_cast<StageMask>(stage_bit(list.first) | stage_bit(list.last) | plan.mandatory_between(list.first, list.last));
    const auto possible = static_cast<StageMask>(needed | (segment.available & plan.between(list.first, list.last)));
    context.services.assign(context.classes.size(), 0);
    each_stage(possible, [&](StageIndex stage) {
        const auto chosen = static_cast<StageMask>(needed | stage_bit(stage));  // one optional stage more leaves the most signals for the others
        if (!context.group.can_serve(chosen)) return;
        if (has_stage(plan.repeated, stage)) {
            serve_span(stage, stage == list.first ? segment.from : segment.entry, segment.entry, context);
            return;
        }
        for (std::size_t c = 0; c < context.classes.size(); ++c) {
            if (!context.group.can_serve(chosen, stage, context.classes[c].mask)) continue;
            context.services[c] = static_cast<StageMask>(context.services[c] | stage_bit(stage));
        }
    });
    serve_by_class(segment.entry, context);
}

/// Lets each class of `context.classes`, those of the instant, serve the stages that `context.services` has for it.
void Timeline::serve_by_class(std::size_t entry, TimelineContext& context) {
    bool any = false;
    for (std::size_t c = 0; c < context.classes.size(); ++c) {
        const InstantGroup::Class& one = context.classes[c];
        // A class serves as a whole or not at all: its first signal speaks for it.
        const StageMask before = entries_[one.entry].served;
        if ((context.services[c] & before) != 0) traces_.push_back({Trace::Kind::shares, 0, 0, one.entry, 0});
        context.services[c] = static_cast<StageMask>(context.services[c] & ~before);
        if (context.services[c] == 0) continue;
        any = true;
        traces_.push_back({Trace::Kind::serve_class, context.services[c], one.mask, static_cast<std::uint32_t>(entry), 0});
    }
    if (!any) return;
    const Timestamp time = entries_[entry].time;
    for (std::size_t i = entry; i < entries_.size() && entries_[i].time == time; ++i) {
        ++context.work;
        for (std::size_t c = 0; c < context.classes.size(); ++c) {
            if (context.classes[c].mask != entries_[i].stages) continue;
            entries_[i].served = static_cast<StageMask>(entries_[i].served | context.services[c]);
        }
    }
}

/// Lets the signals of a repeated stage serve it, from the instant of entry `from` to that of `entry`.
void Timeline::serve_span(StageIndex stage, std::size_t from, std::size_t entry, TimelineContext& context) {
    const StageMask bit = stage_bit(stage);
    const Timestamp start = entries_[from].time;
    // Spans of one stage start in the order in which they end. So one that served before and meets this one ends later and has this one's last
    // signals, or ends earlier and has its first ones; and what has not served yet is one piece between.
    if (has_stage(entries_[from].stages, stage) && (entries_[from].served & bit) != 0) {
        traces_.push_back({Trace::Kind::shares, 0, 0, static_cast<std::uint32_t>(from), 0});
    }
    std::size_t end = instant_end(entry);
    while (!has_stage(entries_[end - 1].stages, stage)) --end;
    if ((entries_[end - 1].served & bit) != 0) traces_.push_back({Trace::Kind::shares, 0, 0, static_cast<std::uint32_t>(end - 1), 0});

    const auto serves_already = [&](std::size_t i) { return has_stage(entries_[i].stages, stage) && (entries_[i].served & bit) != 0; };
    const auto is_new = [&](std::size_t i) { return has_stage(entries_[i].stages, stage) && (entries_[i].served & bit) == 0; };
    while (end > 0 && entries_[end - 1].time >= start && !is_new(end - 1)) {
        ++context.work;
        --end;
    }
    std::size_t begin = end;
    while (begin > 0 && entries_[begin - 1].time >= start && !serves_already(begin - 1)) {
        ++context.work;
        --begin;
        if (has_stage(entries_[begin].stages, stage)) entries_[begin].served = static_cast<StageMask>(entries_[begin].served | bit);
    }
    if (begin < end) traces_.push_back({Trace::Kind::serve_span, bit, 0, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - 1)});
}

std::vector<SignalHandle> Timeline::completing_signals(std::size_t completion, TimelineContext& context) const {
    const Completion& one = completions_[completion];
    if (one.alone) return {key(completion).alone};
    std::vector<SignalHandle> signals;
    for (const SegmentList& list : lists_) {
        if (list.last != one.last) continue;
        const std::size_t count = count_up_to(list.segments, one.time, context.work);
        if (count == 0) continue;
        const Segment& segment = list.segments[count - 1];
        if (segment.time != one.time || (segment.visited & stage_bit(one.last)) == 0) continue;
        group_at(segment.entry, segment.available, context);
        const auto needed = static_cast<StageMask>(stage_bit(list.first) | stage_bit(list.last) | context.plan.mandatory_between(list.first, list.last));
        for (std::size_t i = segment.entry; i < instant_end(segment.entry); ++i) {
            if (context.group.can_serve(needed, one.last, entries_[i].stages)) signals.push_back(entries_[i].signal);
        }
    }
    return signals;
}

}  // namespace catenary::engine
