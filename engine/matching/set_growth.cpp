#include "engine/matching/connected_sets.hpp"
#include "engine/matching/late_instances.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace catenary::engine {

/// What is to be reported, in canonical order, each signal once; afterwards it counts as reported.
std::vector<StageEvidence> ConnectedSets::take_fresh(Set& set, TimelineContext& context) {
    std::sort(set.fresh.begin(), set.fresh.end());
    set.fresh.erase(std::unique(set.fresh.begin(), set.fresh.end()), set.fresh.end());
    std::vector<StageEvidence> evidence;
    evidence.reserve(set.fresh.size());
    for (const SignalHandle signal : set.fresh) {
        Service& service = services_.at(signal.value());
        if (service.reported_stage == not_reported) set.evidence.push_back(signal);
        service.reported_stage = service.stage;
        evidence.push_back({signal, service.stage});
    }
    set.fresh = {};
    sort_canonically(evidence, context.window);
    return evidence;
}

/// The usual case: one finding, new or longer. Returns whether it was that.
bool ConnectedSets::extend(Set& set, TimelineContext& context, std::vector<FindingDelta>& deltas) {
    if (set.broken || set.revised || set.cut || set.has_late() || set.floor) return false;
    if (set.end - set.first.start > context.plan.max_span) return false;
    if (!set.findings.empty() && renames(set, set.findings[0], context.window)) return false;
    clear_news(set);
    if (set.findings.empty()) {
        set.findings.push_back(whole(set, context));
        const SetFinding& finding = set.findings[0];
        deltas.push_back({FindingDelta::Kind::opened, finding.id, take_fresh(set, context), finding.start, finding.end, finding.principals, {}});
        return true;
    }
    SetFinding& finding = set.findings[0];
    if (set.fresh.empty() && finding.end == set.end && finding.principals == set.principals) return true;
    finding.end = set.end;
    finding.principals = set.principals;
    deltas.push_back({FindingDelta::Kind::extended, finding.id, take_fresh(set, context), finding.start, finding.end, finding.principals, {}});
    report_absorbed(set, finding, deltas);
    return true;
}

void ConnectedSets::report_absorbed(Set& set, const SetFinding& by, std::vector<FindingDelta>& deltas) {
    for (const SetFinding& one : std::exchange(set.absorbed, {})) {
        deltas.push_back({FindingDelta::Kind::superseded, one.id, {}, one.start, one.end, one.principals, by.id});
    }
}

/// Whether a signal that came may complete the instance that opened the finding, too, and precedes the one that it is named after.
bool ConnectedSets::renames(const Set& set, const SetFinding& finding, const SignalWindow& window) {
    return std::any_of(set.completing.begin(), set.completing.end(),
                       [&](SignalHandle signal) { return finding.opening.end == window[signal].time && window.before(signal, finding.anchor); });
}

/// Whether a cut set has so many signals that its late ones are to count like others from now on.
bool ConnectedSets::is_too_large_for_late(const Set& set) const {
    if (set.evidence.size() + set.fresh.size() <= most_judged_late) return false;
    boost::unordered_flat_set<std::uint32_t> fresh;
    for (const SignalHandle signal : set.fresh) {
        if (services_.at(signal.value()).reported_stage == not_reported) fresh.insert(signal.value());
    }
    return set.evidence.size() + fresh.size() > most_judged_late;
}

/// Whether all that came belongs to the last finding of a cut set.
bool ConnectedSets::concerns_last_only(const Set& set, const StagePlan& plan) const {
    if (set.broken || set.revised || !set.cut || set.last >= set.findings.size()) return false;
    // Instances with late signals hold none that came now, so that what they joined stays theirs.
    if (set.has_late() && (!set.knows_late || is_too_large_for_late(set) || set.least_new.start <= set.last_late + plan.within)) return false;
    const Timestamp opened = set.findings[set.last].opening.start;
    return set.least_new.start > opened || (set.least_new.start == opened && set.first_new_end > set.closed_until);
}

/// A cut set that has gone on for so long that new evidence of the set is new evidence of its last finding, too. Returns whether it was that.
bool ConnectedSets::extend_last(Set& set, TimelineContext& context, std::vector<FindingDelta>& deltas) {
    if (!concerns_last_only(set, context.plan)) return false;
    SetFinding& last = set.findings[set.last];
    if (set.end - last.start > context.plan.max_span) return false;
    if (set.closed_until != Timestamp::min() && set.first_new_end <= set.closed_until + context.plan.within) return false;
    if (renames(set, last, context.window)) return false;
    drop_tail(set);

    // Not all principals of the set are those of its last finding; who came now is.
    std::vector<EntityId> principals;
    std::set_union(last.principals.begin(), last.principals.end(), set.new_principals.begin(), set.new_principals.end(), std::back_inserter(principals));
    clear_news(set);
    if (set.fresh.empty() && last.end == set.end && last.principals == principals) return true;
    last.end = set.end;
    last.principals = std::move(principals);
    std::vector<StageEvidence> added = take_fresh(set, context);
    last.evidence.insert(last.evidence.end(), added.begin(), added.end());
    deltas.push_back({FindingDelta::Kind::extended, last.id, std::move(added), last.start, last.end, last.principals, {}});
    report_absorbed(set, last, deltas);
    return true;
}

/// A cut set that has not gone on for so long. Returns whether the last finding is all that changed.
bool ConnectedSets::extend_tail(Set& set, TimelineContext& context, std::vector<FindingDelta>& deltas) {
    if (!concerns_last_only(set, context.plan) || set.reopened) return false;
    SetFinding& last = set.findings[set.last];
    if (set.least_new < last.opening || set.end - last.start > context.plan.max_span || renames(set, last, context.window)) return false;
    if (!set.tail) {
        set.tail = std::make_unique<FindingTail>(followers_, last.opening, last.opening.start + context.plan.max_span, false);
        if (set.has_late()) {
            const auto joined = [&](const StageEvidence& one) { return context.window[one.signal].time <= set.last_late + context.plan.within; };
            const auto rest = std::stable_partition(last.evidence.begin(), last.evidence.end(), joined);
            set.tail->keep({last.evidence.begin(), rest});
        }
        set.tail->assume_reported(std::exchange(last.evidence, {}));
        set.news = set.members;
    }
    tell(*set.tail, set.news, context);
    FindingTail::News news = set.tail->settle(context);
    take_fresh(set, context);
    clear_news(set);

    std::vector<EntityId> principals;
    if (names_principals_) {
        const std::vector<EntityId>& own = set.tail->principals();
        std::set_union(own.begin(), own.end(), last.principals.begin(), last.principals.end(), std::back_inserter(principals));
    }
    const Timestamp end = std::max(last.end, set.tail->end());
    const bool changed = news.withdrawn || !news.added.empty() || last.end != end || last.principals != principals;
    last.end = end;
    last.principals = std::move(principals);
    if (changed) {
        std::vector<StageEvidence> evidence = news.withdrawn ? set.tail->evidence() : std::move(news.added);
        sort_canonically(evidence, context.window);
        const auto kind = news.withdrawn ? FindingDelta::Kind::revised : FindingDelta::Kind::extended;
        deltas.push_back({kind, last.id, std::move(evidence), last.start, last.end, last.principals, {}});
    }
    report_absorbed(set, last, deltas);
    return true;
}

/// Of an uncut set with late signals: one finding, longer. Returns whether it was that.
bool ConnectedSets::extend_late(Set& set, TimelineContext& context, std::vector<FindingDelta>& deltas) {
    if (set.broken || set.revised || set.cut || set.floor || !set.knows_late || set.reopened) return false;
    SetFinding& finding = set.findings[0];
    if (set.end - set.first.start > context.plan.max_span || renames(set, finding, context.window) || !takes_late_ones(set, context)) return false;
    clear_news(set);
    if (set.fresh.empty() && finding.end == set.end && finding.principals == set.principals) return true;
    finding.start = set.first.start;
    finding.end = set.end;
    finding.principals = set.principals;
    deltas.push_back({FindingDelta::Kind::extended, finding.id, take_fresh(set, context), finding.start, finding.end, finding.principals, {}});
    return true;
}

/// Whether the one finding of a set takes all instances that came, some with late signals, and is still named after the same one.
bool ConnectedSets::takes_late_ones(Set& set, TimelineContext& context) {
    const SetFinding& finding = set.findings[0];
    if (!finding.opened_late && set.least_new.start > set.last_late) return set.least_new >= finding.opening;
    if (finding.opened_late && set.least_new <= finding.opening) return false;
    if (!std::all_of(set.news.begin(), set.news.end(), [&](VertexId id) { return begins_with_known(vertices_[id], context.plan); })) return false;

    if (!set.clean) {
        set.clean = std::make_unique<FindingTail>(followers_, InstanceSpan{Timestamp::min(), Timestamp::min()}, Timestamp::max(), true);
        set.news = set.members;
    }
    tell(*set.clean, set.news, context);
    const InstanceSpan least = set.clean->settle(context).least;
    return finding.opened_late ? least == no_span : least >= finding.opening;
}

/// Whether the earliest instances of a completion surely have a signal in common with one that comes before them in the order. They have when each signal
/// that they may begin with served in an instance that ended before, which cannot begin later than the signal. When all signals that end them are alike,
/// the others with such a last signal have that one in common with these.
bool ConnectedSets::begins_with_known(const Vertex& vertex, const StagePlan& plan) const {
    constexpr std::size_t most_looked_at = 64;
    if (!vertex.timeline->is_of_one_stage(vertex.first.end)) return false;
    const auto entries = vertex.timeline->instant(vertex.first.start);
    return entries.size() <= most_looked_at && std::all_of(entries.begin(), entries.end(), [&](const TimelineEntry& entry) {
               if ((entry.served & (plan.first | lone_bit)) == 0) return true;
               return vertices_[services_.at(entry.signal.value()).vertex].first.end < vertex.first.end;
           });
}

void ConnectedSets::tell(FindingTail& tail, const std::vector<VertexId>& news, TimelineContext& context) const {
    for (const VertexId id : news) {
        const Vertex& vertex = vertices_[id];
        tail.include(*vertex.timeline, vertex.timeline->key(vertex.completion), context);
    }
}

/// The last finding of a cut set keeps its evidence itself again.
void ConnectedSets::drop_tail(Set& set) {
    set.clean.reset();
    if (!set.tail) return;
    set.findings[set.last].evidence = set.tail->evidence();
    set.tail.reset();
}

void ConnectedSets::clear_news(Set& set) {
    set.news = {};
    set.completing = {};
    set.reopened = false;
    set.least_new = no_span;
    set.first_new_end = Timestamp::max();
    set.new_principals.clear();
}

}  // namespace catenary::engine
