#include "engine/matching/connected_sets.hpp"

#include "engine/model/assert.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace catenary::engine {
namespace {

void merge_sorted(std::vector<EntityId>& into, std::span<const EntityId> from) {
    for (const EntityId entity : from) {
        const auto place = std::lower_bound(into.begin(), into.end(), entity);
        if (place == into.end() || *place != entity) into.insert(place, entity);
    }
}

/// Appends the smaller to the larger.
template <class T>
void pour(std::vector<T>& into, std::vector<T>& from) {
    if (into.size() < from.size()) into.swap(from);
    into.insert(into.end(), from.begin(), from.end());
    from.clear();
}

}  // namespace

ConnectedSets::VertexId ConnectedSets::new_vertex() {
    if (free_vertices_.empty()) {
        free_vertices_.push_back(static_cast<VertexId>(vertices_.size()));
        vertices_.emplace_back();
    }
    const VertexId vertex = free_vertices_.back();
    free_vertices_.pop_back();
    return vertex;
}

ConnectedSets::SetId ConnectedSets::new_set() {
    if (free_sets_.empty()) {
        free_sets_.push_back(static_cast<SetId>(sets_.size()));
        sets_.emplace_back();
    }
    const SetId set = free_sets_.back();
    free_sets_.pop_back();
    sets_[set].alive = true;
    return set;
}

void ConnectedSets::free_set(SetId set) {
    set_bytes_ -= sets_[set].bytes;
    sets_[set] = Set{};
    free_sets_.push_back(set);
}

/// Whenever a set may have grown, so that nobody has to go through all of them.
void ConnectedSets::count_bytes(SetId id) {
    Set& set = sets_[id];
    if (!set.alive) return;
    std::size_t bytes = set.members.capacity() * sizeof(VertexId) + (set.evidence.capacity() + set.fresh.capacity()) * sizeof(SignalHandle);
    for (const SetFinding& finding : set.findings) bytes += sizeof(finding) + finding.evidence.capacity() * sizeof(StageEvidence);
    set_bytes_ += bytes - set.bytes;
    set.bytes = bytes;
}

void ConnectedSets::touch(SetId set) {
    if (std::exchange(sets_[set].touched, true)) return;
    touched_.push_back(set);
}

void ConnectedSets::forget_evidence(const Set& set) {
    for (const SignalHandle signal : set.evidence) services_.erase(signal.value());
    for (const SignalHandle signal : set.fresh) services_.erase(signal.value());
}

void ConnectedSets::saw(const Timeline& timeline, const TimelineEntry& entry, TimelineContext& context) {
    if (followers_.empty()) return;
    const auto followers = followers_.find(&timeline);
    if (followers == followers_.end()) return;
    for (FindingTail* tail : followers->second) tail->add(timeline, entry, context);
}

void ConnectedSets::take_changes(Timeline& timeline, TimelineContext& context) {
    using Gone = Timeline::TakenBack::Gone;
    const std::size_t first = timeline.unregistered_from();
    std::vector<Gone> gone;
    if (const auto* back = timeline.taken_back()) {
        gone = back->completions;
        std::sort(gone.begin(), gone.end(), [](const Gone& left, const Gone& right) { return left.key < right.key; });
    }
    std::vector<bool> returned(gone.size(), false);

    for (std::size_t c = first; c < timeline.completions().size(); ++c) {
        bool again = false;
        VertexId vertex = no_vertex;
        if (!gone.empty()) {
            const CompletionKey key = timeline.key(c);
            const auto place = std::partition_point(gone.begin(), gone.end(), [&](const Gone& one) { return one.key < key; });
            if (place != gone.end() && place->key == key) {
                again = true;
                vertex = place->vertex;
                returned[static_cast<std::size_t>(place - gone.begin())] = true;
            }
        }
        const InstanceSpan span{timeline.completions()[c].first_start, timeline.completions()[c].time};
        if (!again) {
            vertex = new_vertex();
            const SetId set = new_set();
            vertices_[vertex].set = set;
            vertices_[vertex].first = span;
            sets_[set].members.push_back(vertex);
            sets_[set].first = span;
            sets_[set].end = span.end;
            if (names_principals_) sets_[set].principals.push_back(timeline.entity());
        }
        vertices_[vertex].timeline = &timeline;
        vertices_[vertex].completion = static_cast<std::uint32_t>(c);
        timeline.completions()[c].vertex = vertex;
        note(vertex, span);
        // Occurrences of a repeated stage may have become shorter, and what joined the finding by one of them may have no reason to any more.
        if (again && context.plan.repeated != 0 && sets_[vertices_[vertex].set].knows_late) sets_[vertices_[vertex].set].reopened = true;
        connect(vertex, context);
    }
    for (std::size_t g = 0; g < gone.size(); ++g) {
        if (returned[g]) continue;
        Vertex& vertex = vertices_[gone[g].vertex];
        vertex.gone = true;
        gone_vertices_.push_back(gone[g].vertex);
        sets_[vertex.set].broken = true;
        touch(vertex.set);
    }
    if (timeline.taken_back() != nullptr) check_ties(timeline, first);
    for (const Timeline::Alike& pair : timeline.alike()) {
        const TimelineEntry& entry = timeline.entries()[pair.entry];
        const VertexId vertex = services_.at(timeline.entries()[pair.model].signal.value()).vertex;
        // The instances that it joins end at its time; the vertex may be of another timeline.
        Set& set = sets_[vertices_[vertex].set];
        touch(vertices_[vertex].set);
        set.least_new = std::min(set.least_new, {entry.time - context.plan.within, entry.time});
        set.first_new_end = std::min(set.first_new_end, entry.time);
        if (names_principals_) merge_sorted(set.new_principals, std::array{timeline.entity()});
        if (set.knows_late) {
            for (auto one = timeline.completions().rbegin(); one != timeline.completions().rend() && one->time == entry.time; ++one) {
                set.news.push_back(one->vertex);
            }
        }
        serve(entry.signal, entry.served, vertex, context);
    }
    timeline.clear_changes();
}

/// A completion is new or was worked out again, with `first` the least span of its instances.
void ConnectedSets::note(VertexId id, const InstanceSpan& first) {
    Vertex& vertex = vertices_[id];
    Set& set = sets_[vertex.set];
    touch(vertex.set);
    set.least_new = std::min(set.least_new, first);
    set.first_new_end = std::min(set.first_new_end, first.end);
    if (names_principals_) merge_sorted(set.new_principals, std::array{vertex.timeline->entity()});
    if (set.keeps_news()) {
        set.news.push_back(id);
        const std::size_t last = set.cut ? set.last : 0;
        set.reopened = set.reopened || (last < set.findings.size() && set.findings[last].opening.end == vertex.first.end);
    }
    if (vertex.first == first) return;
    if (vertex.first <= set.first || first <= set.first) set.revised = true;
    vertex.first = first;
}

void ConnectedSets::connect(VertexId id, TimelineContext& context) {
    const Timeline& timeline = *vertices_[id].timeline;
    const std::size_t completion = vertices_[id].completion;

    // What lies furthest back first: it is what stays when the newest instant is worked out again.
    const auto traces = timeline.traces(completion);
    for (auto trace = traces.rbegin(); trace != traces.rend(); ++trace) {
        if (trace->kind == Trace::Kind::meets) {
            const VertexId other = timeline.completions()[trace->a].vertex;
            if (other == no_vertex) continue;
            if (join(id, other, context.window)) vertices_[id].ties.push_back({false, other});
        } else if (trace->kind == Trace::Kind::shares) {
            const SignalHandle signal = timeline.entries()[trace->a].signal;
            const auto service = services_.find(signal.value());
            if (service == services_.end()) continue;  // served by this very completion
            tie(id, service->second.vertex, signal, context.window);
        }
    }
    timeline.each_served(completion, [&](std::size_t entry, StageMask stages) { serve(timeline.entries()[entry].signal, stages, id, context); });
}

void ConnectedSets::serve(SignalHandle signal, StageMask stages, VertexId vertex, TimelineContext& context) {
    const StageIndex stage = context.plan.earliest(stages);
    const auto [place, is_new] = services_.try_emplace(signal.value(), Service{vertex, stage, not_reported});
    if (!is_new) tie(vertex, place->second.vertex, signal, context.window);
    Set& set = sets_[vertices_[vertex].set];
    if (is_new || stage < place->second.stage) {
        place->second.stage = stage;
        set.fresh.push_back(signal);
        if (context.window[signal].late) set.last_late = std::max(set.last_late, context.window[signal].time);
    }
    if (context.window[signal].time == vertices_[vertex].first.end) set.completing.push_back(signal);
}

void ConnectedSets::tie(VertexId vertex, VertexId other, SignalHandle signal, const SignalWindow& window) {
    if (!join(vertex, other, window)) return;
    const bool here = vertices_[vertex].timeline == vertices_[other].timeline;
    vertices_[vertex].ties.push_back({!here, here ? other : signal.value()});
    if (!here) vertices_[other].tied_to = true;
}

bool ConnectedSets::join(VertexId vertex, VertexId other, const SignalWindow& window) {
    SetId a = vertices_[vertex].set;
    SetId b = vertices_[other].set;
    if (a == b) return false;
    if (sets_[a].members.size() + sets_[a].evidence.size() < sets_[b].members.size() + sets_[b].evidence.size()) std::swap(a, b);
    Set& into = sets_[a];
    Set& from = sets_[b];
    for (const VertexId member : from.members) vertices_[member].set = a;

    const bool earlier = into.findings.empty() ? into.first <= from.first : from.first <= into.first;  // than what a finding is named after
    const bool both = !into.findings.empty() && !from.findings.empty();
    const bool named = !into.findings.empty() || !from.findings.empty();
    const bool absorbed = both && absorb(into, from, window);
    if (both && !absorbed) {
        // Each finding keeps what was reported of it until the comparison.
        for (Set* one : {&into, &from}) {
            drop_tail(*one);
            if (!one->cut) one->findings[0].evidence = evidence_of(*one, one->findings[0]);
        }
        into.cut = true;
    }
    into.revised = into.revised || from.revised || (both && !absorbed) || (!both && named && earlier) || into.floor.has_value() || from.floor.has_value();
    if (into.floor && (!from.floor ? from.first.start < into.floor->start : from.floor->start < into.floor->start)) into.floor = from.floor;
    else if (!into.floor && from.floor && into.first.start >= from.floor->start) into.floor = from.floor;
    if (from.pruned_before) into.pruned_before = into.pruned_before ? std::max(*into.pruned_before, *from.pruned_before) : *from.pruned_before;
    if (from.keeps_news() && !into.keeps_news()) into.news = into.members;
    if (into.keeps_news() && !from.keeps_news()) from.news = from.members;
    into.cut = into.cut || from.cut;
    into.broken = into.broken || from.broken;
    into.reopened = into.reopened || from.reopened;
    into.last_late = std::max(into.last_late, from.last_late);
    into.knows_late = into.knows_late || from.knows_late;
    into.ignores_late = into.ignores_late || from.ignores_late;
    into.first = std::min(into.first, from.first);
    into.end = std::max(into.end, from.end);
    into.least_new = std::min(into.least_new, from.least_new);
    into.first_new_end = std::min(into.first_new_end, from.first_new_end);
    into.closed_until = std::max(into.closed_until, from.closed_until);
    merge_sorted(into.principals, from.principals);
    merge_sorted(into.new_principals, from.new_principals);
    pour(into.members, from.members);
    pour(into.fresh, from.fresh);
    pour(into.evidence, from.evidence);
    pour(into.news, from.news);
    pour(into.completing, from.completing);
    if (into.findings.empty()) into.last = from.last;
    for (SetFinding& finding : from.findings) into.findings.push_back(std::move(finding));
    for (SetFinding& finding : from.absorbed) into.absorbed.push_back(std::move(finding));
    if (!into.tail) into.tail = std::move(from.tail);
    if (!into.clean) into.clean = std::move(from.clean);
    from.alive = false;
    from.findings.clear();
    dead_sets_.push_back(b);
    touch(a);
    return true;
}

/// Two sets with findings become one: where the finding of the one can simply go on as part of the other's, its evidence is news there. Returns whether
/// it was so.
bool ConnectedSets::absorb(Set& into, Set& from, const SignalWindow& window) {
    if (into.cut && from.cut) return false;
    Set* stays = &into;
    Set* goes = &from;
    if (from.cut) std::swap(stays, goes);
    if (!stays->cut) {
        const auto precedes = [&](const Set& left, const Set& right) {
            if (left.first != right.first) return left.first < right.first;
            return window.before(left.findings[0].anchor, right.findings[0].anchor);
        };
        if (precedes(*goes, *stays)) std::swap(stays, goes);
    }
    if (stays->floor || goes->floor || goes->pruned_before || stays->has_late() || goes->has_late() || stays->revised || goes->revised) return false;

    SetFinding& former = goes->findings[0];
    former.evidence = evidence_of(*goes, former);
    for (const SignalHandle signal : goes->evidence) services_.at(signal.value()).reported_stage = not_reported;
    pour(goes->fresh, goes->evidence);
    goes->absorbed.push_back(std::move(former));
    goes->findings.clear();
    goes->least_new = std::min(goes->least_new, goes->first);
    goes->first_new_end = std::min(goes->first_new_end, goes->first.start);
    goes->new_principals = goes->principals;
    return true;
}

void ConnectedSets::renumber(const Timeline& timeline) {
    for (std::size_t c = 0; c < timeline.completions().size(); ++c) {
        const VertexId vertex = timeline.completions()[c].vertex;
        if (vertex != no_vertex) vertices_[vertex].completion = static_cast<std::uint32_t>(c);
    }
}

boost::unordered_flat_map<const Timeline*, Timestamp> ConnectedSets::expire(Timestamp horizon, Timestamp reach, TimelineContext& context) {
    CATENARY_ASSERT(touched_.empty(), "expiry comes after all findings were settled");
    boost::unordered_flat_map<const Timeline*, Timestamp> needed;
    const auto release = [&](VertexId id) {
        Vertex& vertex = vertices_[id];
        vertex.timeline->completions()[vertex.completion].vertex = no_vertex;
        vertex = Vertex{};
        free_vertices_.push_back(id);
    };
    for (SetId id = 0; id < sets_.size(); ++id) {
        Set& set = sets_[id];
        if (!set.alive) continue;
        drop_tail(set);
        if (set.end < reach) {
            forget_evidence(set);
            for (const VertexId member : set.members) release(member);
            free_set(id);
            continue;
        }
        Timestamp keep = set.floor ? set.floor->start : set.first.start;
        if (set.cut && set.last < set.findings.size() && set.findings.size() > 1) {
            SetFinding& last = set.findings[set.last];
            const bool late_ones_gone = !set.has_late() || set.last_late + context.plan.within < last.opening.start;
            if (late_ones_gone && last.opening.start < reach && set.closed_until < horizon) {
                set.floor = Floor{last.opening.start, set.closed_until};
                keep = set.floor->start;
                std::swap(set.findings[0], last);
                set.findings.resize(1);
                set.last = 0;
                set.last_late = Timestamp::min();
                set.knows_late = false;
            }
        }
        keep = std::min(keep, reach);
        const auto over = [&](VertexId member) { return vertices_[member].first.end < keep; };
        const auto first_over = std::stable_partition(set.members.begin(), set.members.end(), [&](VertexId member) { return !over(member); });
        if (first_over != set.members.end()) {
            std::for_each(first_over, set.members.end(), release);
            set.members.erase(first_over, set.members.end());
            set.pruned_before = keep;
        }
        std::erase_if(set.evidence, [&](SignalHandle signal) {
            if (context.window[signal].time >= keep) return false;
            services_.erase(signal.value());
            return true;
        });
        for (const VertexId member : set.members) {
            const auto [place, is_new] = needed.try_emplace(vertices_[member].timeline, keep);
            if (!is_new) place->second = std::min(place->second, keep);
        }
        count_bytes(id);
    }
    return needed;
}

std::size_t ConnectedSets::bytes() const {
    std::size_t total = vertices_.capacity() * sizeof(Vertex) + sets_.capacity() * sizeof(Set) + services_.bucket_count() * 13 + set_bytes_;
    if (followers_.empty()) return total;
    for (const Set& set : sets_) {
        if (set.tail) total += set.tail->bytes();
        if (set.clean) total += set.clean->bytes();
    }
    return total;
}

}  // namespace catenary::engine
