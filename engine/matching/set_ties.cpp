#include "engine/matching/connected_sets.hpp"
#include "engine/matching/vertex_groups.hpp"

#include <algorithm>
#include <utility>

namespace catenary::engine {

void ConnectedSets::break_up(VertexId vertex) {
    Set& set = sets_[vertices_[vertex].set];
    set.broken = true;
    touch(vertices_[vertex].set);
}

/// A timeline took completions back and worked them out again: those from `first_completion` on, here "the redone". A set certainly still hangs
/// together when the rest of it does and every redone member hangs on to the rest or, if there is no rest, to the other redone ones. The rest does
/// - when the former ties of redone members to it still hold, and
/// - since ties of the rest to redone members are by signals: when whoever brought a signal in before hangs together with who does now.
/// Otherwise the set is put together again. Ties among the redone are made anew; they lead from later to earlier completions.
void ConnectedSets::check_ties(const Timeline& timeline, std::size_t first_completion) {
    const auto& completions = timeline.completions();
    VertexGroups groups;
    boost::unordered_flat_map<VertexId, std::uint32_t> redone;
    boost::unordered_flat_map<SetId, std::uint32_t> rests;
    boost::unordered_flat_map<SetId, std::size_t> redone_of;
    for (std::size_t c = first_completion; c < completions.size(); ++c) {
        redone.emplace(completions[c].vertex, groups.add());
        ++redone_of[vertices_[completions[c].vertex].set];
    }
    const auto rest_of = [&](VertexId vertex) {
        const auto [place, is_new] = rests.try_emplace(vertices_[vertex].set, 0);
        if (is_new) place->second = groups.add();
        return place->second;
    };
    struct Server {
        VertexId vertex;
        StageMask stages;
    };
    boost::unordered_flat_map<std::uint32_t, Server> servers;  // by signal: the first redone completion that has it now, and all it serves here
    std::vector<std::pair<VertexId, Tie>> moved;

    for (std::size_t c = first_completion; c < completions.size(); ++c) {
        const VertexId vertex = completions[c].vertex;
        const std::uint32_t place = redone.at(vertex);
        const auto former = std::exchange(vertices_[vertex].ties, {});
        auto& ties = vertices_[vertex].ties;
        std::vector<VertexId> met;           // of the rest
        std::vector<std::uint32_t> signals;  // its own that others of the rest have as well
        const auto meet = [&](VertexId other, const Tie& by) {
            if (other == no_vertex || other == vertex) return;
            const auto local = redone.find(other);
            if (local == redone.end()) {
                if (by.by_signal) signals.push_back(by.number);
                met.push_back(other);
            }
            if (groups.unite(place, local == redone.end() ? rest_of(vertex) : local->second)) ties.push_back(by);
        };
        const auto meet_by_signal = [&](std::uint32_t signal) {
            if (const auto server = servers.find(signal); server != servers.end()) meet(server->second.vertex, {false, server->second.vertex});
            const auto service = services_.find(signal);
            if (service == services_.end()) return;
            const VertexId other = service->second.vertex;
            if (redone.contains(other)) return;  // who has it of the redone was met above, and may be another by now
            const bool here = vertices_[other].timeline == &timeline;
            meet(other, {!here, here ? other : signal});
        };

        const auto traces = timeline.traces(c);
        for (auto trace = traces.rbegin(); trace != traces.rend(); ++trace) {
            if (trace->kind == Trace::Kind::meets) meet(completions[trace->a].vertex, {false, completions[trace->a].vertex});
            if (trace->kind == Trace::Kind::shares) meet_by_signal(timeline.entries()[trace->a].signal.value());
        }
        timeline.each_served(c, [&](std::size_t entry, StageMask stages) {
            const std::uint32_t signal = timeline.entries()[entry].signal.value();
            meet_by_signal(signal);
            Server& server = servers.try_emplace(signal, Server{vertex, 0}).first->second;
            server.stages = static_cast<StageMask>(server.stages | stages);
        });

        for (const Tie& tie : former) {
            if (!tie.by_signal) {
                if (redone.contains(tie.number)) continue;
                if (std::find(met.begin(), met.end(), tie.number) == met.end()) break_up(vertex);
                ties.push_back(tie);
            } else if (std::find(signals.begin(), signals.end(), tie.number) != signals.end()) {
                ties.push_back(tie);
            } else {
                moved.emplace_back(vertex, tie);
            }
        }
    }
    const auto together = [&](VertexId a, VertexId b) { return groups.find(redone.at(a)) == groups.find(redone.at(b)); };

    // A tie by a signal that another redone completion has now is that one's tie.
    for (const auto& [vertex, tie] : moved) {
        const auto server = servers.find(tie.number);
        if (server == servers.end() || !together(vertex, server->second.vertex)) {
            break_up(vertex);
            continue;
        }
        vertices_[server->second.vertex].ties.push_back(tie);
        groups.unite(redone.at(vertex), rest_of(vertex));
    }
    std::vector<Timeline::TakenBack::Lost> lost = timeline.taken_back()->services;
    std::sort(lost.begin(), lost.end());
    for (auto one = lost.begin(); one != lost.end();) {
        const SignalHandle signal = one->signal;
        const auto now = servers.find(signal.value());
        StageMask stages = 0;
        for (; one != lost.end() && one->signal == signal; ++one) {
            stages = static_cast<StageMask>(stages | one->stages);
            if (vertices_[one->vertex].gone) continue;  // its set is put together again anyway
            if (now == servers.end() || !together(one->vertex, now->second.vertex)) break_up(one->vertex);
        }
        // Serving less than before, it has another stage or is no evidence at all.
        if (now != servers.end() && (stages & ~now->second.stages) == 0) continue;
        if (const auto service = services_.find(signal.value()); service != services_.end()) break_up(service->second.vertex);
    }
    boost::unordered_flat_map<SetId, std::uint32_t> groups_of;
    for (std::size_t c = first_completion; c < completions.size(); ++c) {
        const VertexId vertex = completions[c].vertex;
        const SetId set = vertices_[vertex].set;
        if (sets_[set].broken) continue;
        const bool has_rest = sets_[set].members.size() > redone_of.at(set);
        const std::uint32_t group = groups.find(redone.at(vertex));
        const std::uint32_t wanted = has_rest ? groups.find(rest_of(vertex)) : groups.find(groups_of.try_emplace(set, group).first->second);
        if (group != wanted) break_up(vertex);
    }
}

}  // namespace catenary::engine
