#include "engine/matching/timeline.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/last_values.hpp"

namespace catenary::engine {

template <>
struct LastEnumerator<Trace::Kind> {
    static constexpr Trace::Kind value = Trace::Kind::shares;
};

void CompletionKey::save(SnapshotWriter& out) const {
    out(time, last, alone != no_signal);
    if (alone != no_signal) out(alone);
}

void CompletionKey::load(SnapshotReader& in) {
    bool has_alone = false;
    in(time, last, has_alone);
    alone = no_signal;
    if (has_alone) in(alone);
}

void TightestSuffix::save(SnapshotWriter& out) const { out(first_, last_late_); }

void TightestSuffix::load(const std::vector<TimelineEntry>& entries, std::size_t end, const SignalWindow& window, const DistinctValues& values,
                          SnapshotReader& in) {
    std::optional<Timestamp> last_late;
    in(first_, last_late);
    SnapshotReader::require(first_ <= end, "a run begins after its end");
    for (std::size_t i = first_; i < end; ++i) {
        if (has_stage(entries[i].stages, stage_)) include(entries[i], window, values);
    }
    last_late_ = last_late;  // the latest may have left the run
}

/// Nearly all timelines hold one or two signals and nothing worked out, which `is_plain` keeps small.
void Timeline::save(SnapshotWriter& out) const {
    const bool is_plain = lists_.empty() && completions_.empty() && traces_.empty() && alike_.empty() && !taken_back_;
    out(is_plain, processed_, open_begin_, registered_, open_, entries_, open_starts_, open_classes_);
    for (const TightestSuffix& suffix : suffixes_) suffix.save(out);
    if (!is_plain) out(lists_, completions_, traces_, alike_, taken_back_);
}

void Timeline::load(SnapshotReader& in, const TimelineContext& context) {
    bool is_plain = false;
    in(is_plain, processed_, open_begin_, registered_, open_, entries_, open_starts_, open_classes_);
    SnapshotReader::require(processed_ <= entries_.size(), "more is worked out than there is");
    for (TightestSuffix& suffix : suffixes_) suffix.load(entries_, processed_, context.window, context.values, in);
    if (!is_plain) in(lists_, completions_, traces_, alike_, taken_back_);
    check(context.plan);
}

/// That every number is that of something.
void Timeline::check(const StagePlan& plan) const {
    const auto require = SnapshotReader::require;
    const auto known = static_cast<StageMask>(plan.all | late_bit);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        require(i == 0 || entries_[i - 1].time <= entries_[i].time, "signals are out of order");
        require((entries_[i].stages & ~known) == 0 && (entries_[i].served & ~(plan.all | lone_bit)) == 0, "a signal serves an unknown stage");
        require((entries_[i].served & lone_bit) == 0 || plan.lone.has_value(), "a signal serves an unknown stage");
    }
    require(!open_ || (open_begin_ < processed_ && open_starts_.size() == suffixes_.size()), "the newest instant is missing");
    for (const auto& one : open_classes_) require(one.entry < entries_.size() && (one.mask & ~known) == 0, "the newest instant is damaged");
    for (const SegmentList& list : lists_) {
        require(list.first < plan.stages && list.last < plan.stages, "a segment serves an unknown stage");
        for (const Segment& segment : list.segments) {
            require(segment.entry < entries_.size() && segment.from < entries_.size(), "a segment lies nowhere");
            require(segment.visited == 0 || segment.visitor < completions_.size(), "a segment has an unknown visitor");
            require(((segment.visited | segment.available) & ~known) == 0, "a segment serves an unknown stage");
        }
    }
    std::uint32_t begin = 0;
    require(registered_ <= completions_.size(), "more is registered than there is");
    for (const Completion& one : completions_) {
        require(one.last < plan.stages && begin <= one.trace_begin && one.trace_begin <= traces_.size(), "a completion is damaged");
        require(!one.alone || (one.trace_begin < traces_.size() && traces_[one.trace_begin].kind == Trace::Kind::alone), "a completion is damaged");
        begin = one.trace_begin;
    }
    for (const Trace& trace : traces_) {
        require(((trace.stages | trace.mask) & ~(known | lone_bit)) == 0, "a trace serves an unknown stage");
        check(trace);
    }
    for (const Alike& one : alike_) require(one.entry < entries_.size() && one.model < entries_.size(), "a signal is like none");
}

void Timeline::check(const Trace& trace) const {
    const auto valid = [&] {
        switch (trace.kind) {
            case Trace::Kind::visit: return trace.a < lists_.size() && trace.b < lists_[trace.a].segments.size();
            case Trace::Kind::serve_span: return trace.a < entries_.size() && trace.b < entries_.size();
            case Trace::Kind::meets: return trace.a < completions_.size();
            case Trace::Kind::serve_class:
            case Trace::Kind::alone:
            case Trace::Kind::shares: break;
        }
        return trace.a < entries_.size();
    };
    SnapshotReader::require(valid(), "a trace leads nowhere");
}

}  // namespace catenary::engine
