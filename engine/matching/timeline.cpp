#include "engine/matching/timeline.hpp"

#include "engine/model/assert.hpp"

#include <algorithm>
#include <utility>

namespace catenary::engine {
namespace {

bool by_time(const TimelineEntry& entry, Timestamp time) { return entry.time < time; }

}  // namespace

Timeline::Timeline(EntityId entity, const StagePlan& plan) : entity_{entity} {
    each_stage(plan.repeated, [&](StageIndex stage) { suffixes_.emplace_back(stage, plan); });
}

void Timeline::add(const TimelineEntry& entry, TimelineContext& context) {
    if (processed_ > 0) {
        const Timestamp newest = entries_[processed_ - 1].time;
        if (entry.time < newest || (entry.time == newest && !open_)) work_again_from(entry.time, context);
    }
    const auto place = std::upper_bound(entries_.begin() + processed_, entries_.end(), entry.time,
                                        [](Timestamp time, const TimelineEntry& other) { return time < other.time; });
    entries_.insert(place, entry);
}

void Timeline::work_again_from(Timestamp time, TimelineContext& context) {
    if (processed_ == 0 || entries_[processed_ - 1].time < time) return;
    take_back(time);
    processed_ = static_cast<std::uint32_t>(std::lower_bound(entries_.begin(), entries_.begin() + processed_, time, by_time) - entries_.begin());
    open_ = false;
    for (TightestSuffix& suffix : suffixes_) suffix.restart(entries_, processed_, context.window, context.values);
}

void Timeline::process(TimelineContext& context) {
    while (processed_ < entries_.size()) {
        const std::size_t begin = processed_;
        const std::size_t end = instant_end(begin);
        if (open_ && entries_[open_begin_].time == entries_[begin].time) {
            extend_instant(end, context);
            continue;
        }
        open_begin_ = static_cast<std::uint32_t>(begin);
        processed_ = static_cast<std::uint32_t>(end);
        open_ = true;
        push_instant(begin, end, context);
        work_out_instant(begin, end, context);
    }
}

std::size_t Timeline::instant_end(std::size_t begin) const {
    std::size_t end = begin + 1;
    while (end < entries_.size() && entries_[end].time == entries_[begin].time) ++end;
    return end;
}

std::span<const TimelineEntry> Timeline::instant(Timestamp time) const {
    const auto begin = std::lower_bound(entries_.begin(), entries_.end(), time, by_time);
    const auto end = std::upper_bound(begin, entries_.end(), time, [](Timestamp wanted, const TimelineEntry& entry) { return wanted < entry.time; });
    return {begin, end};
}

bool Timeline::is_of_one_stage(Timestamp time) const {
    const auto stages = [](StageMask mask) { return static_cast<StageMask>(mask & ~late_bit); };
    const bool is_newest = processed_ > 0 && entries_[processed_ - 1].time == time;
    if (is_newest && !open_classes_.empty()) {
        return std::all_of(open_classes_.begin(), open_classes_.end(),
                           [&](const auto& one) { return stage_count(stages(one.mask)) == 1 && stages(one.mask) == stages(open_classes_[0].mask); });
    }
    const auto entries = instant(time);
    return std::all_of(entries.begin(), entries.end(),
                       [&](const TimelineEntry& entry) { return stage_count(stages(entry.stages)) == 1 && stages(entry.stages) == stages(entries[0].stages); });
}

void Timeline::push_instant(std::size_t begin, std::size_t end, TimelineContext& context) {
    open_classes_.clear();
    open_starts_.clear();
    for (TightestSuffix& suffix : suffixes_) {
        bool satisfied = false;
        for (std::size_t i = begin; i < end; ++i) {
            if (!has_stage(entries_[i].stages, suffix.stage())) continue;
            suffix.push(entries_, i, context.window, context.values);
            satisfied = true;
        }
        open_starts_.push_back(satisfied ? suffix.start(entries_, entries_[begin].time) : std::nullopt);
    }
    context.work += end - begin;
}

void Timeline::extend_instant(std::size_t end, TimelineContext& context) {
    const std::size_t begin = processed_;
    if (open_classes_.empty()) {
        for (std::size_t i = open_begin_; i < begin; ++i) InstantGroup::add(open_classes_, entries_[i].stages, i);
        context.work += begin - open_begin_;
    }
    bool changes = false;
    for (std::size_t i = begin; i < end; ++i) changes = InstantGroup::add(open_classes_, entries_[i].stages, i) || changes;
    for (std::size_t r = 0; r < suffixes_.size(); ++r) {
        TightestSuffix& suffix = suffixes_[r];
        bool satisfied = false;
        for (std::size_t i = begin; i < end; ++i) {
            if (!has_stage(entries_[i].stages, suffix.stage())) continue;
            suffix.push(entries_, i, context.window, context.values);
            satisfied = true;
        }
        if (!satisfied) continue;
        const auto start = suffix.start(entries_, entries_[begin].time);
        if (start == open_starts_[r]) continue;
        open_starts_[r] = start;
        changes = true;
    }
    context.work += end - begin;
    processed_ = static_cast<std::uint32_t>(end);
    if (!changes) {
        copy_services(begin, end, context);
        return;
    }
    take_back(entries_[begin].time);
    work_out_instant(open_begin_, end, context);
}

void Timeline::copy_services(std::size_t begin, std::size_t end, TimelineContext& context) {
    for (std::size_t i = begin; i < end; ++i) {
        const auto known = std::find_if(open_classes_.begin(), open_classes_.end(), [&](const auto& one) { return one.mask == entries_[i].stages; });
        const StageMask served = entries_[known->entry].served;
        if ((served & ~lone_bit) != 0) {
            entries_[i].served = static_cast<StageMask>(served & ~lone_bit);
            alike_.push_back({static_cast<std::uint32_t>(i), known->entry});
        }
        if ((served & lone_bit) != 0) complete_alone(i, context);
    }
}

void Timeline::take_back(Timestamp from) {
    while (!completions_.empty() && completions_.back().time >= from) {
        const Completion& completion = completions_.back();
        if (completion.vertex != no_vertex) {
            if (!taken_back_) taken_back_ = std::make_unique<TakenBack>();
            taken_back_->completions.push_back({completion.vertex, key(completions_.size() - 1)});
        }
        while (traces_.size() > completion.trace_begin) {
            undo(traces_.back(), completion.vertex);
            traces_.pop_back();
        }
        completions_.pop_back();
    }
    registered_ = std::min(registered_, static_cast<std::uint32_t>(completions_.size()));
    for (SegmentList& list : lists_) {
        while (!list.segments.empty() && list.segments.back().time >= from) list.segments.pop_back();
    }
}

void Timeline::undo(const Trace& trace, std::uint32_t vertex) {
    const auto withdraw = [&](TimelineEntry& entry, StageMask stages) {
        const auto lost = static_cast<StageMask>(entry.served & stages);
        if (lost == 0) return;
        entry.served = static_cast<StageMask>(entry.served & ~stages);
        if (vertex != no_vertex) taken_back_->services.push_back({entry.signal, vertex, lost});
    };
    switch (trace.kind) {
        case Trace::Kind::visit: {
            Segment& segment = lists_[trace.a].segments[trace.b];
            segment.visited = static_cast<StageMask>(segment.visited & ~trace.stages);
            break;
        }
        case Trace::Kind::serve_class: {
            const Timestamp time = entries_[trace.a].time;
            for (std::size_t i = trace.a; i < entries_.size() && entries_[i].time == time; ++i) {
                if (entries_[i].stages == trace.mask) withdraw(entries_[i], trace.stages);
            }
            break;
        }
        case Trace::Kind::serve_span: {
            const Timestamp time = entries_[trace.b].time;
            for (std::size_t i = trace.a; i < entries_.size() && entries_[i].time <= time; ++i) {
                if ((entries_[i].stages & trace.stages) != 0) withdraw(entries_[i], trace.stages);
            }
            break;
        }
        case Trace::Kind::alone: withdraw(entries_[trace.a], lone_bit); break;
        case Trace::Kind::meets:
        case Trace::Kind::shares: break;
    }
}

std::span<const Trace> Timeline::traces(std::size_t completion) const {
    const std::size_t begin = completions_[completion].trace_begin;
    const std::size_t end = completion + 1 < completions_.size() ? completions_[completion + 1].trace_begin : traces_.size();
    return std::span{traces_}.subspan(begin, end - begin);
}

CompletionKey Timeline::key(std::size_t completion) const {
    const Completion& one = completions_[completion];
    CompletionKey key{one.time, one.last};
    if (one.alone) key.alone = entries_[traces_[one.trace_begin].a].signal;
    return key;
}

void Timeline::clear_changes() {
    registered_ = static_cast<std::uint32_t>(completions_.size());
    taken_back_.reset();
    alike_.clear();
}

void Timeline::expire(Timestamp cutoff, TimelineContext& context, std::vector<SignalHandle>& removed) {
    const auto gone = static_cast<std::uint32_t>(std::lower_bound(entries_.begin(), entries_.end(), cutoff, by_time) - entries_.begin());
    if (gone == 0) return;
    CATENARY_ASSERT(registered_ == completions_.size() && processed_ == entries_.size(), "expiry comes after all changes were taken");
    for (std::uint32_t i = 0; i < gone; ++i) removed.push_back(entries_[i].signal);

    std::vector<std::uint32_t> gone_segments;
    for (SegmentList& list : lists_) {
        auto& segments = list.segments;
        const auto keep = std::find_if(segments.begin(), segments.end(), [&](const Segment& segment) { return segment.time >= cutoff; });
        gone_segments.push_back(static_cast<std::uint32_t>(keep - segments.begin()));
        segments.erase(segments.begin(), keep);
    }
    const auto kept = std::find_if(completions_.begin(), completions_.end(), [&](const Completion& one) { return one.time >= cutoff; });
    const auto gone_completions = static_cast<std::uint32_t>(kept - completions_.begin());

    // Traces of completions that stay may still name what goes.
    std::vector<Trace> traces_left;
    for (std::size_t c = gone_completions; c < completions_.size(); ++c) {
        const auto begin = static_cast<std::uint32_t>(traces_left.size());
        for (Trace trace : traces(c)) {
            switch (trace.kind) {
                case Trace::Kind::visit:
                    if (trace.b < gone_segments[trace.a]) continue;
                    trace.b -= gone_segments[trace.a];
                    break;
                case Trace::Kind::serve_span:
                    if (trace.b < gone) continue;
                    trace.a = std::max(trace.a, gone) - gone;
                    trace.b -= gone;
                    break;
                case Trace::Kind::meets:
                    if (trace.a < gone_completions) continue;
                    trace.a -= gone_completions;
                    break;
                case Trace::Kind::serve_class:
                case Trace::Kind::alone:
                case Trace::Kind::shares:
                    if (trace.a < gone) continue;
                    trace.a -= gone;
                    break;
            }
            traces_left.push_back(trace);
        }
        // Nothing reads where a completion's traces begin before the next line has run for all earlier ones.
        completions_[c - gone_completions] = completions_[c];
        completions_[c - gone_completions].trace_begin = begin;
    }
    completions_.resize(completions_.size() - gone_completions);
    traces_ = std::move(traces_left);
    for (SegmentList& list : lists_) {
        for (Segment& segment : list.segments) {
            segment.entry -= gone;
            segment.from = std::max(segment.from, gone) - gone;
            if (segment.visited != 0) segment.visitor -= gone_completions;
        }
    }
    entries_.erase(entries_.begin(), entries_.begin() + gone);
    entries_.shrink_to_fit();
    processed_ -= gone;
    open_begin_ = open_begin_ > gone ? open_begin_ - gone : 0;
    open_ = open_ && processed_ > 0;
    open_classes_.clear();
    registered_ = static_cast<std::uint32_t>(completions_.size());
    for (TightestSuffix& suffix : suffixes_) suffix.restart(entries_, processed_, context.window, context.values);
}

std::size_t Timeline::bytes() const {
    std::size_t total = sizeof(*this) + entries_.capacity() * sizeof(TimelineEntry) + lists_.capacity() * sizeof(SegmentList) +
                        completions_.capacity() * sizeof(Completion) + traces_.capacity() * sizeof(Trace) + suffixes_.capacity() * sizeof(TightestSuffix) +
                        open_starts_.capacity() * sizeof(open_starts_[0]) + open_classes_.capacity() * sizeof(InstantGroup::Class) +
                        alike_.capacity() * sizeof(Alike);
    for (const SegmentList& list : lists_) total += list.segments.capacity() * sizeof(Segment);
    for (const TightestSuffix& suffix : suffixes_) total += suffix.bytes();
    return total;
}

}  // namespace catenary::engine
