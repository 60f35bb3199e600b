#include "engine/matching/finding_cut.hpp"

#include "engine/matching/late_instances.hpp"
#include "engine/model/assert.hpp"

#include <algorithm>
#include <utility>

namespace catenary::engine {
namespace {

constexpr Duration tick{1};

bool is_empty(const InstanceRegion::Box& box) { return box.start_min > box.start_max || box.end_min > box.end_max || box.start_min > box.end_max; }

/// Cuts instances of which all take part alike.
std::vector<InstanceSpan> openings(const SetInstances& instances, const InstanceRegion& region, Duration max_span, bool without_late) {
    std::vector<InstanceSpan> found;
    auto opening = instances.first(region, without_late);
    while (opening) {
        found.push_back(*opening);
        opening = instances.first(region.from(*opening).ending_after(opening->start + max_span), without_late);
    }
    return found;
}

/// The instances between two openings, the second left out.
InstanceRegion stretch(const InstanceRegion& base, const std::vector<InstanceSpan>& opened, std::size_t index) {
    const InstanceRegion rest = base.from(opened[index]);
    return index + 1 < opened.size() ? rest.before(opened[index + 1]) : rest;
}

/// Those of a stretch that the finding of its opening has room for.
InstanceRegion place(const InstanceRegion& base, const std::vector<InstanceSpan>& opened, std::size_t index, Duration max_span) {
    return stretch(base, opened, index).ending_by(opened[index].start + max_span);
}

/// How many of the signals of an instance are among sorted evidence does not matter: one is enough.
bool share_a_signal(const std::vector<FoundEvidence>& left, const std::vector<FoundEvidence>& right) {
    auto a = left.begin();
    for (const FoundEvidence& one : right) {
        a = std::partition_point(a, left.end(), [&](const FoundEvidence& other) { return other.signal < one.signal; });
        if (a == left.end()) return false;
        if (a->signal == one.signal) return true;
    }
    return false;
}

/// The late instances, one by one in their order: each joins the earliest finding with which it shares a signal and that has room, else it opens one.
void join_late(std::vector<CutFinding>& findings, const std::vector<LateInstance>& late, Duration max_span, const SignalWindow& window) {
    for (const LateInstance& instance : late) {
        const auto taking = std::find_if(findings.begin(), findings.end(), [&](const CutFinding& finding) {
            const SetInstances::Summary& summary = finding.summary;
            return std::max(summary.end, instance.span.end) - std::min(summary.start, instance.span.start) <= max_span &&
                   share_a_signal(summary.evidence, instance.evidence);
        });
        if (taking == findings.end()) {
            findings.push_back({instance.span, true, instance.completing, {instance.span.start, instance.span.end, {instance.principal}, instance.evidence}});
            continue;
        }
        if (taking->opened_late && taking->opening == instance.span && window.before(instance.completing, taking->anchor)) {
            taking->anchor = instance.completing;
        }
        SetInstances::Summary& summary = taking->summary;
        summary.start = std::min(summary.start, instance.span.start);
        summary.end = std::max(summary.end, instance.span.end);
        const auto place = std::lower_bound(summary.principals.begin(), summary.principals.end(), instance.principal);
        if (place == summary.principals.end() || *place != instance.principal) summary.principals.insert(place, instance.principal);
        summary.evidence.insert(summary.evidence.end(), instance.evidence.begin(), instance.evidence.end());
        merge_services(summary.evidence);
    }
}

CutFinding finding(const SetInstances& instances, const InstanceSpan& opening, bool opened_late, bool without_late, const InstanceRegion& region) {
    return {opening, opened_late, instances.anchor(opening, without_late), instances.summary(region, without_late)};
}

}  // namespace

InstanceRegion::InstanceRegion(std::vector<Box> boxes) : boxes_{std::move(boxes)} { std::erase_if(boxes_, is_empty); }

InstanceRegion InstanceRegion::intersection(const InstanceRegion& other) const {
    std::vector<Box> common;
    for (const Box& a : boxes_) {
        for (const Box& b : other.boxes_) {
            common.push_back(
                {std::max(a.start_min, b.start_min), std::min(a.start_max, b.start_max), std::max(a.end_min, b.end_min), std::min(a.end_max, b.end_max)});
        }
    }
    return InstanceRegion{std::move(common)};
}

InstanceRegion InstanceRegion::from(const InstanceSpan& span) const {
    return intersection(InstanceRegion{{Box{.start_min = span.start + tick}, Box{.start_min = span.start, .start_max = span.start, .end_min = span.end}}});
}

InstanceRegion InstanceRegion::before(const InstanceSpan& span) const {
    return intersection(
        InstanceRegion{{Box{.start_max = span.start - tick}, Box{.start_min = span.start, .start_max = span.start, .end_max = span.end - tick}}});
}

InstanceRegion InstanceRegion::starting_from(Timestamp start) const { return intersection(InstanceRegion{{Box{.start_min = start}}}); }
InstanceRegion InstanceRegion::starting_before(Timestamp start) const { return intersection(InstanceRegion{{Box{.start_max = start - tick}}}); }
InstanceRegion InstanceRegion::ending_by(Timestamp end) const { return intersection(InstanceRegion{{Box{.end_max = end}}}); }
InstanceRegion InstanceRegion::ending_after(Timestamp end) const { return intersection(InstanceRegion{{Box{.end_min = end + tick}}}); }

void merge_services(std::vector<FoundEvidence>& evidence) {
    std::sort(evidence.begin(), evidence.end(), [](const auto& left, const auto& right) { return left.signal < right.signal; });
    std::size_t kept = 0;
    for (const FoundEvidence& one : evidence) {
        if (kept > 0 && evidence[kept - 1].signal == one.signal) {
            evidence[kept - 1].stages = static_cast<StageMask>(evidence[kept - 1].stages | one.stages);
        } else {
            evidence[kept++] = one;
        }
    }
    evidence.resize(kept);
}

SetInstances::SetInstances(std::vector<SetTimeline> timelines, Timestamp earliest, TimelineContext& context)
    : timelines_{std::move(timelines)}, earliest_{earliest}, context_{&context} {}

template <class Visit>
void SetInstances::each(const InstanceRegion& region, bool without_late, Visit visit) const {
    const InstanceLimits own = context_->limits;
    for (const SetTimeline& one : timelines_) {
        const std::vector<TimelineEntry>& entries = one.timeline->entries();
        const Timestamp latest = one.completions.back().time;
        for (const InstanceRegion::Box& box : region.boxes()) {
            const Timestamp low = std::max(box.start_min, earliest_);
            const Timestamp high = std::min(box.end_max, latest);
            if (low > high) continue;
            context_->limits = {.start_min = low,
                                .start_max = box.start_max,
                                .end_min = std::max(box.end_min, own.end_min),
                                .end_max = high,
                                .without_late = without_late,
                                .only = &one.completions};
            Timeline again{one.timeline->entity(), context_->plan};
            const auto begin = std::partition_point(entries.begin(), entries.end(), [&](const TimelineEntry& entry) { return entry.time < low; });
            for (auto entry = begin; entry != entries.end() && entry->time <= high; ++entry) {
                again.add({entry->time, entry->signal, entry->stages, 0}, *context_);
            }
            again.process(*context_);
            visit(again);
        }
    }
    context_->limits = own;
}

std::optional<InstanceSpan> SetInstances::first(const InstanceRegion& region, bool without_late) const {
    std::optional<InstanceSpan> least;
    each(region, without_late, [&](const Timeline& again) {
        for (const Completion& completion : again.completions()) {
            const InstanceSpan span{completion.first_start, completion.time};
            if (!least || span < *least) least = span;
        }
    });
    return least;
}

SetInstances::Summary SetInstances::summary(const InstanceRegion& region, bool without_late) const {
    Summary all;
    each(region, without_late, [&](const Timeline& again) {
        if (again.completions().empty()) return;
        all.principals.push_back(again.entity());
        for (std::size_t c = 0; c < again.completions().size(); ++c) {
            all.start = std::min(all.start, again.completions()[c].first_start);
            all.end = std::max(all.end, again.completions()[c].time);
            again.each_served(c, [&](std::size_t entry, StageMask stages) { all.evidence.push_back({again.entries()[entry].signal, stages}); });
        }
    });
    std::sort(all.principals.begin(), all.principals.end());
    all.principals.erase(std::unique(all.principals.begin(), all.principals.end()), all.principals.end());
    merge_services(all.evidence);
    return all;
}

SignalHandle SetInstances::anchor(const InstanceSpan& span, bool without_late) const {
    std::optional<SignalHandle> least;
    each(InstanceRegion::exactly(span), without_late, [&](const Timeline& again) {
        for (std::size_t c = 0; c < again.completions().size(); ++c) {
            for (const SignalHandle signal : again.completing_signals(c, *context_)) {
                if (!least || context_->window.before(signal, *least)) least = signal;
            }
        }
    });
    CATENARY_ASSERT(least, "an instance has a completing signal");
    return *least;
}

std::vector<CutFinding> cut_into_findings(const SetInstances& instances, const InstanceRegion& base, Duration max_span, bool has_late) {
    std::vector<CutFinding> findings;
    const auto cut = [&](const InstanceRegion& region, bool opened_late, bool without_late) {
        const std::vector<InstanceSpan> opened = openings(instances, region, max_span, without_late);
        for (std::size_t i = 0; i < opened.size(); ++i) {
            findings.push_back(finding(instances, opened[i], opened_late, without_late, place(region, opened, i, max_span)));
        }
    };
    if (!has_late) {
        cut(base, false, false);
        return findings;
    }
    if (const auto late = spell_out_late(instances.timelines(), instances.earliest(), base, instances.context())) {
        cut(base, false, true);
        join_late(findings, *late, max_span, instances.context().window);
        return findings;
    }

    // Too many to take them one by one.
    const std::vector<InstanceSpan> opened = openings(instances, base, max_span, true);
    if (opened.empty()) {
        cut(base, true, false);
        return findings;
    }
    std::vector<InstanceRegion> places;
    for (std::size_t i = 0; i < opened.size(); ++i) places.push_back(place(base, opened, i, max_span));
    std::vector<InstanceRegion> gaps;
    for (std::size_t gap = 0; gap <= opened.size(); ++gap) {
        // Late instances outside all places: before the first, or reaching beyond the one they start in.
        InstanceRegion rest = gap == 0 ? base.before(opened[0]) : stretch(base, opened, gap - 1).ending_after(opened[gap - 1].start + max_span);
        if (gap < opened.size() && instances.first(rest, false)) {
            const Timestamp end = instances.summary(places[gap], false).end;
            if (const auto joining = instances.first(rest.starting_from(end - max_span), false)) {
                const InstanceRegion near = rest.starting_from(joining->start);
                rest = rest.starting_before(joining->start);
                rest.add(near.ending_after(joining->start + max_span));
                places[gap].add(near.ending_by(joining->start + max_span));
            }
        }
        gaps.push_back(std::move(rest));
    }
    for (std::size_t i = 0; i < opened.size(); ++i) {
        findings.push_back({opened[i], false, instances.anchor(opened[i], true), instances.summary(places[i], false)});
    }
    for (const InstanceRegion& gap : gaps) cut(gap, true, false);
    return findings;
}

}  // namespace catenary::engine
