#include "engine/matching/connected_sets.hpp"
#include "engine/matching/finding_changes.hpp"
#include "engine/matching/finding_id.hpp"
#include "engine/matching/late_instances.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace catenary::engine {
namespace {

bool by_signal(const StageEvidence& left, const StageEvidence& right) { return left.signal < right.signal; }

}  // namespace

void ConnectedSets::settle(TimelineContext& context, std::vector<FindingDelta>& deltas) {
    if (touched_.empty()) return;
    std::vector<FindingDelta> changes;
    std::vector<FindingRevision> before;
    std::vector<FindingRevision> after;
    const auto add_to = [&](std::vector<FindingRevision>& pool, const Set& set, const SetFinding& finding) {
        std::vector<StageEvidence> evidence = evidence_of(set, finding);
        std::sort(evidence.begin(), evidence.end(), by_signal);
        pool.push_back({finding.id, finding.anchor, finding.opening, finding.start, finding.end, finding.principals, std::move(evidence)});
    };

    std::sort(touched_.begin(), touched_.end());
    const std::vector<SetId> touched = std::exchange(touched_, {});
    for (const SetId id : touched) {
        if (!sets_[id].alive) continue;
        sets_[id].touched = false;
        if (extend(sets_[id], context, changes) || extend_last(sets_[id], context, changes) || extend_tail(sets_[id], context, changes) ||
            extend_late(sets_[id], context, changes)) {
            continue;
        }
        drop_tail(sets_[id]);
        for (const SetFinding& finding : std::exchange(sets_[id].absorbed, {})) {
            std::vector<StageEvidence> evidence = finding.evidence;
            std::sort(evidence.begin(), evidence.end(), by_signal);
            before.push_back({finding.id, finding.anchor, finding.opening, finding.start, finding.end, finding.principals, std::move(evidence)});
        }
        if (!sets_[id].has_late() && concerns_last_only(sets_[id], context.plan)) {
            add_to(before, sets_[id], sets_[id].findings.back());
            const std::size_t kept = sets_[id].findings.size() - 1;
            find_last_again(sets_[id], context);
            for (std::size_t f = kept; f < sets_[id].findings.size(); ++f) add_to(after, sets_[id], sets_[id].findings[f]);
            continue;
        }
        for (const SetFinding& finding : sets_[id].findings) add_to(before, sets_[id], finding);
        const std::vector<SetId> made = sets_[id].broken ? rebuild(id, context) : std::vector<SetId>{id};
        for (const SetId set : made) {
            recount(sets_[set]);
            find_again(sets_[set], context);
            for (const SetFinding& finding : sets_[set].findings) add_to(after, sets_[set], finding);
            count_bytes(set);
        }
    }
    for (const VertexId id : std::exchange(gone_vertices_, {})) {
        vertices_[id] = Vertex{};
        free_vertices_.push_back(id);
    }
    const auto successor = [&](const FindingRevision& one) { return successor_of(one); };
    report_changes(before, after, context.window, successor, changes);
    for (const SetId id : std::exchange(dead_sets_, {})) free_set(id);
    for (const SetId id : touched) count_bytes(id);
    for (const SetId id : std::exchange(touched_, {})) {
        sets_[id].touched = false;
        count_bytes(id);
    }

    sort_canonically(changes);
    std::move(changes.begin(), changes.end(), std::back_inserter(deltas));
}

/// The finding that all instances of an uncut set are.
ConnectedSets::SetFinding ConnectedSets::whole(const Set& set, TimelineContext& context) const {
    const SignalHandle anchor = anchor_of(set, context);
    return {.id = finding_id(identity_, context.window, {.anchor = anchor}),
            .anchor = anchor,
            .opening = set.first,
            .opened_late = false,
            .start = set.first.start,
            .end = set.end,
            .principals = set.principals,
            .evidence = {}};
}

std::vector<StageEvidence> ConnectedSets::evidence_of(const Set& set, const SetFinding& finding) const {
    std::vector<StageEvidence> evidence;
    if (set.cut) {
        evidence = set.tail && &finding == &set.findings[set.last] ? set.tail->evidence() : finding.evidence;
        std::sort(evidence.begin(), evidence.end(), [](const StageEvidence& left, const StageEvidence& right) {
            return std::tie(left.signal, left.stage) < std::tie(right.signal, right.stage);
        });
        const auto same = [](const StageEvidence& left, const StageEvidence& right) { return left.signal == right.signal; };
        evidence.erase(std::unique(evidence.begin(), evidence.end(), same), evidence.end());
        return evidence;
    }
    evidence.reserve(set.evidence.size());
    for (const SignalHandle signal : set.evidence) evidence.push_back({signal, services_.at(signal.value()).reported_stage});
    return evidence;
}

SetInstances ConnectedSets::instances_of(const Set& set, TimelineContext& context) const {
    std::vector<std::pair<const Timeline*, CompletionKey>> keys;
    keys.reserve(set.members.size());
    for (const VertexId member : set.members) {
        const Vertex& vertex = vertices_[member];
        keys.emplace_back(vertex.timeline, vertex.timeline->key(vertex.completion));
    }
    std::sort(keys.begin(), keys.end(), [](const auto& left, const auto& right) {
        const EntityId a = left.first->entity();
        const EntityId b = right.first->entity();
        return a != b ? a < b : left.second < right.second;
    });
    std::vector<SetTimeline> timelines;
    for (auto& [timeline, key] : keys) {
        if (timelines.empty() || timelines.back().timeline != timeline) timelines.push_back({timeline, {}});
        timelines.back().completions.push_back(key);
    }
    return SetInstances{std::move(timelines), set.first.start, context};
}

InstanceRegion ConnectedSets::base_of(const Set& set) const {
    if (!set.floor) return InstanceRegion::everything();
    using Box = InstanceRegion::Box;
    return InstanceRegion{{Box{.start_min = set.floor->start + Duration{1}},
                           Box{.start_min = set.floor->start, .start_max = set.floor->start, .end_min = set.floor->end + Duration{1}}}};
}

/// Of an uncut set: the least completing signal of its first instances.
SignalHandle ConnectedSets::anchor_of(const Set& set, TimelineContext& context) const {
    if (set.members.size() == 1) {
        const Vertex& only = vertices_[set.members[0]];
        if (const SignalHandle alone = only.timeline->key(only.completion).alone; alone != no_signal) return alone;
    }
    return instances_of(set, context).anchor(set.first, false);
}

void ConnectedSets::report_all(Set& set) {
    std::sort(set.fresh.begin(), set.fresh.end());
    set.fresh.erase(std::unique(set.fresh.begin(), set.fresh.end()), set.fresh.end());
    for (const SignalHandle signal : set.fresh) {
        if (services_.at(signal.value()).reported_stage == not_reported) set.evidence.push_back(signal);
    }
    set.fresh = {};
    for (const SignalHandle signal : set.evidence) {
        Service& service = services_.at(signal.value());
        service.reported_stage = service.stage;
    }
    clear_news(set);
    set.revised = false;
}

void ConnectedSets::find_again(Set& set, TimelineContext& context) {
    report_all(set);
    set.findings.clear();
    set.last = 0;
    set.closed_until = Timestamp::min();
    set.ignores_late = set.ignores_late || (set.end - set.first.start > context.plan.max_span && set.evidence.size() > most_judged_late);
    set.cut = set.has_late() || set.floor || set.end - set.first.start > context.plan.max_span;
    if (!set.cut) {
        set.findings.push_back(whole(set, context));
        return;
    }
    if (set.floor) set.closed_until = set.floor->end;
    add_cut(set, cut_into_findings(instances_of(set, context), base_of(set), context.plan.max_span, set.has_late()), context);
    set.knows_late = set.has_late();
    if (set.has_late() && !set.floor && set.findings.size() == 1) {
        // All instances are in it, as in the finding of a set without late signals.
        set.findings[0].evidence = {};
        set.cut = false;
    }
}

void ConnectedSets::find_last_again(Set& set, TimelineContext& context) {
    report_all(set);
    const Floor floor{set.findings.back().opening.start, set.closed_until};
    set.findings.pop_back();
    const auto former = std::exchange(set.floor, floor);
    const InstanceRegion base = base_of(set);
    set.floor = former;
    set.last = set.findings.size();
    add_cut(set, cut_into_findings(instances_of(set, context), base, context.plan.max_span, false), context);
}

void ConnectedSets::add_cut(Set& set, std::vector<CutFinding> cut, TimelineContext& context) {
    std::vector<FindingName> names;
    for (CutFinding& one : cut) {
        FindingName name{.anchor = one.anchor};
        if (one.opened_late) name.late_start = one.opening.start;
        while (std::find(names.begin(), names.end(), name) != names.end()) ++name.rank;
        names.push_back(name);
        if (!one.opened_late) set.last = set.findings.size();
        if (!one.opened_late && !set.findings.empty()) set.closed_until = set.findings.back().opening.start + context.plan.max_span;
        std::vector<StageEvidence> evidence;
        evidence.reserve(one.summary.evidence.size());
        for (const FoundEvidence& found : one.summary.evidence) evidence.push_back({found.signal, context.plan.earliest(found.stages)});
        set.findings.push_back({.id = finding_id(identity_, context.window, name),
                                .anchor = one.anchor,
                                .opening = one.opening,
                                .opened_late = one.opened_late,
                                .start = one.summary.start,
                                .end = one.summary.end,
                                .principals = names_principals_ ? std::move(one.summary.principals) : std::vector<EntityId>{},
                                .evidence = std::move(evidence)});
    }
}

/// The finding that holds the first instance of a former one: where its anchor serves now; of several findings there the first that reaches over the
/// opening.
std::optional<FindingId> ConnectedSets::successor_of(const FindingRevision& former) const {
    const auto service = services_.find(former.anchor.value());
    if (service == services_.end()) return std::nullopt;
    const Set& set = sets_[vertices_[service->second.vertex].set];
    for (const SetFinding& finding : set.findings) {
        if (finding.start > former.opening.start || finding.end < former.opening.end) continue;
        const auto held = [&](const StageEvidence& evidence) { return evidence.signal == former.anchor; };
        if (set.cut && std::none_of(finding.evidence.begin(), finding.evidence.end(), held)) continue;
        return finding.id;
    }
    return std::nullopt;
}

}  // namespace catenary::engine
