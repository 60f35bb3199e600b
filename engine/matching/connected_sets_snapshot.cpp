#include "engine/matching/connected_sets.hpp"
#include "engine/model/assert.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/last_values.hpp"
#include "engine/snapshot/places.hpp"

namespace catenary::engine {

void ConnectedSets::save(SnapshotWriter& out) const {
    CATENARY_ASSERT(touched_.empty() && gone_vertices_.empty() && dead_sets_.empty(), "what is saved is settled");
    out(sets_.size(), vertices_.size());
    for (const Vertex& vertex : vertices_) {
        out(vertex.timeline != nullptr);
        if (vertex.timeline == nullptr) continue;
        out(vertex.timeline->entity(), vertex.completion, vertex.set, vertex.tied_to, vertex.first, vertex.ties);
    }
    out(free_vertices_, services_.size());
    for (const auto* service : in_order(out, services_)) out(SignalHandle{service->first}, service->second);
    for (const Set& set : sets_) {
        out(set.alive);
        if (!set.alive) continue;
        out(set, set.tail != nullptr, set.clean != nullptr);
        if (set.tail) set.tail->save(out);
        if (set.clean) set.clean->save(out);
    }
    out(free_sets_);
}

void ConnectedSets::load(SnapshotReader& in, const FindingTail::TimelineOf& timelines, const TimelineContext& context) {
    const std::size_t sets = in.count();
    for (std::size_t left = in.count(); left > 0; --left) load_vertex(vertices_.emplace_back(), in, timelines);
    std::vector<bool> used(vertices_.size());
    for (VertexId id = 0; id < vertices_.size(); ++id) {
        Vertex& vertex = vertices_[id];
        used[id] = vertex.timeline != nullptr;
        if (!used[id]) continue;
        SnapshotReader::require(vertex.completion < vertex.timeline->completions().size(), "an unknown completion is named");
        SnapshotReader::require(vertex.timeline->completions()[vertex.completion].vertex == id, "a completion has another number");
    }
    load_free_places(in, free_vertices_, used);
    for (std::size_t left = in.count(); left > 0; --left) {
        SignalHandle signal;
        Service service{};
        in(signal, service);
        SnapshotReader::require(services_.emplace(signal.value(), service).second, "a signal serves twice");
    }
    used.assign(sets, false);
    sets_.resize(sets);
    for (SetId id = 0; id < sets; ++id) {
        in(sets_[id].alive);
        used[id] = sets_[id].alive;
        if (used[id]) load_set(sets_[id], in, timelines, context);
        count_bytes(id);
    }
    load_free_places(in, free_sets_, used);
    check(context.plan);
}

void ConnectedSets::load_vertex(Vertex& vertex, SnapshotReader& in, const FindingTail::TimelineOf& timelines) const {
    bool is_used = false;
    in(is_used);
    if (!is_used) return;
    vertex.timeline = timelines(EntityId{in.number<std::uint32_t>()});
    SnapshotReader::require(vertex.timeline != nullptr, "a completion is of an unknown entity");
    in(vertex.completion, vertex.set, vertex.tied_to, vertex.first, vertex.ties);
}

void ConnectedSets::load_set(Set& set, SnapshotReader& in, const FindingTail::TimelineOf& timelines, const TimelineContext& context) {
    bool has_tail = false;
    bool has_clean = false;
    in(set, has_tail, has_clean);
    if (has_tail) set.tail = FindingTail::load(in, followers_, timelines, context);
    if (has_clean) set.clean = FindingTail::load(in, followers_, timelines, context);
}

/// That every number is that of something.
void ConnectedSets::check(const StagePlan& plan) const {
    const auto require = SnapshotReader::require;
    const auto is_vertex = [&](VertexId id) { return id < vertices_.size() && vertices_[id].timeline != nullptr; };
    const auto is_stage = [&](std::uint8_t stage) { return stage < plan.stages; };
    for (const Vertex& vertex : vertices_) {
        require(vertex.timeline == nullptr || (vertex.set < sets_.size() && sets_[vertex.set].alive), "a completion is in no set");
    }
    for (const auto& [signal, service] : services_) {
        require(is_vertex(service.vertex) && is_stage(service.stage), "a signal serves an unknown completion");
        require(is_stage(service.reported_stage) || service.reported_stage == not_reported, "a signal serves an unknown stage");
    }
    const auto serve = [&](const std::vector<SignalHandle>& signals, bool reported) {
        return std::all_of(signals.begin(), signals.end(), [&](SignalHandle signal) {
            const auto service = services_.find(signal.value());
            return service != services_.end() && (!reported || service->second.reported_stage != not_reported);
        });
    };
    for (SetId id = 0; id < sets_.size(); ++id) {
        const Set& set = sets_[id];
        if (!set.alive) continue;
        for (const auto* members : {&set.members, &set.news}) {
            for (const VertexId member : *members) require(is_vertex(member) && vertices_[member].set == id, "a set has an unknown completion");
        }
        require(!set.members.empty() && serve(set.evidence, true) && serve(set.fresh, false), "a set has unknown evidence");
        require(!set.tail || (set.cut && set.last < set.findings.size()), "a finding that goes on is missing");
        require(set.cut || !set.knows_late || !set.findings.empty(), "the finding of a set is missing");
        require(set.cut || set.findings.size() <= 1, "an uncut set has several findings");
        for (const auto* findings : {&set.findings, &set.absorbed}) {
            for (const SetFinding& finding : *findings) {
                for (const StageEvidence& one : finding.evidence) require(is_stage(one.stage), "a signal serves an unknown stage");
            }
        }
    }
}

}  // namespace catenary::engine
