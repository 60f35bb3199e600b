#include "engine/matching/connected_sets.hpp"
#include "engine/matching/vertex_groups.hpp"

#include <algorithm>

namespace catenary::engine {

/// Puts a broken set together again from what its completions have as evidence. Returns the sets that it became.
std::vector<ConnectedSets::SetId> ConnectedSets::rebuild(SetId id, TimelineContext& context) {
    std::vector<VertexId> members;
    for (const VertexId member : sets_[id].members) {
        if (!vertices_[member].gone) members.push_back(member);
    }
    const Set former = std::move(sets_[id]);
    forget_evidence(former);
    set_bytes_ -= former.bytes;
    sets_[id] = Set{};
    dead_sets_.push_back(id);

    VertexGroups groups;
    boost::unordered_flat_map<VertexId, std::uint32_t> place;
    for (std::uint32_t m = 0; m < members.size(); ++m) {
        place.emplace(members[m], groups.add());
        vertices_[members[m]].ties.clear();
        vertices_[members[m]].tied_to = false;
    }
    const auto tie = [&](std::uint32_t m, std::uint32_t other, SignalHandle signal) {
        if (!groups.unite(m, other)) return;
        Vertex& a = vertices_[members[m]];
        Vertex& b = vertices_[members[other]];
        if (a.timeline != b.timeline) {
            a.ties.push_back({true, signal.value()});
            b.tied_to = true;
        } else if (b.completion < a.completion) {
            a.ties.push_back({false, members[other]});
        } else {
            b.ties.push_back({false, members[m]});
        }
    };

    for (std::uint32_t m = 0; m < members.size(); ++m) {
        const Vertex& vertex = vertices_[members[m]];
        const auto traces = vertex.timeline->traces(vertex.completion);
        for (auto trace = traces.rbegin(); trace != traces.rend(); ++trace) {
            if (trace->kind != Trace::Kind::meets) continue;
            const VertexId other = vertex.timeline->completions()[trace->a].vertex;
            if (const auto found = place.find(other); found != place.end()) tie(m, found->second, no_signal);
        }
    }
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> server;  // signal -> member
    for (std::uint32_t m = 0; m < members.size(); ++m) {
        const Vertex& vertex = vertices_[members[m]];
        vertex.timeline->each_served(vertex.completion, [&](std::size_t entry, StageMask) {
            const SignalHandle signal = vertex.timeline->entries()[entry].signal;
            const auto [found, is_new] = server.try_emplace(signal.value(), m);
            if (!is_new) tie(m, found->second, signal);
        });
    }
    for (std::uint32_t m = 0; m < members.size(); ++m) {
        const Vertex& vertex = vertices_[members[m]];
        for (const Trace& trace : vertex.timeline->traces(vertex.completion)) {
            if (trace.kind != Trace::Kind::shares) continue;
            const SignalHandle signal = vertex.timeline->entries()[trace.a].signal;
            if (const auto found = server.find(signal.value()); found != server.end()) tie(m, found->second, signal);
        }
    }
    if (former.pruned_before) {
        // What tied the oldest members together may have been forgotten.
        const Timestamp until = *former.pruned_before + context.plan.within;
        std::optional<std::uint32_t> one;
        for (std::uint32_t m = 0; m < members.size(); ++m) {
            if (vertices_[members[m]].first.end > until) continue;
            if (one) groups.unite(*one, m);
            one = m;
        }
    }

    std::vector<SetId> made;
    boost::unordered_flat_map<std::uint32_t, SetId> by_group;
    for (std::uint32_t m = 0; m < members.size(); ++m) {
        const auto [found, is_new] = by_group.try_emplace(groups.find(m), 0);
        if (is_new) {
            found->second = new_set();
            made.push_back(found->second);
            sets_[found->second].floor = former.floor;
            sets_[found->second].pruned_before = former.pruned_before;
            sets_[found->second].ignores_late = former.ignores_late && former.floor.has_value();
        }
        vertices_[members[m]].set = found->second;
        sets_[found->second].members.push_back(members[m]);
    }
    for (const SetId set : made) recount(sets_[set]);
    for (const SetId set : made) {
        for (const VertexId member : sets_[set].members) {
            const Vertex& vertex = vertices_[member];
            vertex.timeline->each_served(
                vertex.completion, [&](std::size_t entry, StageMask stages) { serve(vertex.timeline->entries()[entry].signal, stages, member, context); });
        }
    }
    return made;
}

/// Brings what follows from the members alone up to date.
void ConnectedSets::recount(Set& set) const {
    set.first = no_span;
    set.end = Timestamp::min();
    set.principals.clear();
    for (const VertexId member : set.members) {
        const Vertex& vertex = vertices_[member];
        set.first = std::min(set.first, vertex.first);
        set.end = std::max(set.end, vertex.first.end);
        if (names_principals_) set.principals.push_back(vertex.timeline->entity());
    }
    std::sort(set.principals.begin(), set.principals.end());
    set.principals.erase(std::unique(set.principals.begin(), set.principals.end()), set.principals.end());
}

}  // namespace catenary::engine
