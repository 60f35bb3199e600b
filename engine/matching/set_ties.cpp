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
/// - when no group of redone members, held together by former ties among them, had more than one tie with it; otherwise when all those ties hold
///   still and their redone ends hang together without the rest;
/// - since ties of the rest to redone members are by signals: when whoever brought a signal in before hangs together, without the rest, with who does
///   now.
/// A set of which that cannot be said is put together again. Ties of the redone are made anew.
void ConnectedSets::check_ties(const Timeline& timeline, std::size_t first_completion) {
    const auto& completions = timeline.completions();
    VertexGroups now;     // redone members and the rest of each set, as they hang together now
    VertexGroups local;   // redone members, as they hang together now without the rest
    VertexGroups former;  // redone members, as their ties held them together
    boost::unordered_flat_map<VertexId, std::uint32_t> redone;
    boost::unordered_flat_map<SetId, std::uint32_t> rests;
    boost::unordered_flat_map<SetId, std::size_t> redone_of;
    for (std::size_t c = first_completion; c < completions.size(); ++c) {
        redone.emplace(completions[c].vertex, now.add());
        local.add();
        former.add();
        ++redone_of[vertices_[completions[c].vertex].set];
    }
    const auto rest_of = [&](VertexId vertex) {
        const auto [place, is_new] = rests.try_emplace(vertices_[vertex].set, 0);
        if (is_new) place->second = now.add();
        return place->second;
    };

    // Whom each meets now.
    struct Meeting {
        VertexId vertex;
        VertexId other;
        Tie by;
    };
    struct Server {
        VertexId vertex;
        StageMask stages;
    };
    std::vector<Meeting> meetings;                             // by vertex, what lies furthest back first
    boost::unordered_flat_map<std::uint32_t, Server> servers;  // by signal: the first redone completion that has it, and all it serves here
    for (std::size_t c = first_completion; c < completions.size(); ++c) {
        const VertexId vertex = completions[c].vertex;
        const auto meet = [&](VertexId other, const Tie& by) {
            if (other != no_vertex && other != vertex) meetings.push_back({vertex, other, by});
        };
        const auto meet_by_signal = [&](std::uint32_t signal) {
            if (const auto server = servers.find(signal); server != servers.end()) meet(server->second.vertex, {false, server->second.vertex});
            const auto service = services_.find(signal);
            if (service == services_.end()) return;
            const VertexId other = service->second.vertex;
            if (redone.contains(other)) return;  // who of the redone has it was met above, and may be another by now
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
    }

    // Former ties.
    std::vector<std::pair<VertexId, Tie>> outward;
    for (std::size_t c = first_completion; c < completions.size(); ++c) {
        const VertexId vertex = completions[c].vertex;
        for (const Tie& tie : std::exchange(vertices_[vertex].ties, {})) {
            const auto tied = tie.by_signal ? redone.end() : redone.find(tie.number);
            if (tied != redone.end()) former.unite(redone.at(vertex), tied->second);
            else outward.emplace_back(vertex, tie);
        }
    }
    for (const Meeting& meeting : meetings) {
        const auto other = redone.find(meeting.other);
        if (other == redone.end() || !local.unite(redone.at(meeting.vertex), other->second)) continue;
        now.unite(redone.at(meeting.vertex), other->second);
        vertices_[meeting.vertex].ties.push_back(meeting.by);
    }
    boost::unordered_flat_map<std::uint32_t, std::size_t> outward_of;
    for (const auto& [vertex, tie] : outward) ++outward_of[former.find(redone.at(vertex))];
    for (const auto& [vertex, place] : redone) {
        if (vertices_[vertex].tied_to) ++outward_of[former.find(place)];
    }
    // What holds parts of the rest together must hang together without the rest.
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> bridges;  // by former group
    const auto bridge = [&](VertexId former_holder, VertexId holder) {
        const std::uint32_t group = local.find(redone.at(holder));
        if (bridges.try_emplace(former.find(redone.at(former_holder)), group).first->second != group) break_up(holder);
    };
    for (const auto& [vertex, tie] : outward) {
        if (outward_of.at(former.find(redone.at(vertex))) < 2) continue;
        const auto holds = [&, wanted = tie](const Meeting& meeting) { return meeting.by.by_signal == wanted.by_signal && meeting.by.number == wanted.number; };
        // Another redone completion may have taken the place of the one that was tied.
        const auto meeting = std::find_if(meetings.begin(), meetings.end(), holds);
        if (meeting == meetings.end()) {
            break_up(vertex);
            continue;
        }
        vertices_[meeting->vertex].ties.push_back(tie);
        now.unite(redone.at(meeting->vertex), rest_of(meeting->vertex));
        bridge(vertex, meeting->vertex);
    }
    for (const auto& [vertex, place] : redone) {
        if (vertices_[vertex].tied_to && outward_of.at(former.find(place)) > 1) bridge(vertex, vertex);
    }
    for (const Meeting& meeting : meetings) {
        if (redone.contains(meeting.other)) continue;
        if (now.unite(redone.at(meeting.vertex), rest_of(meeting.vertex))) vertices_[meeting.vertex].ties.push_back(meeting.by);
    }
    // A signal goes by a completion that has it; ties by it are ties to that one.
    for (const auto& [signal, server] : servers) {
        const auto service = services_.find(signal);
        if (service == services_.end() || service->second.vertex == server.vertex || !redone.contains(service->second.vertex)) continue;
        if (vertices_[service->second.vertex].tied_to) vertices_[server.vertex].tied_to = true;
        service->second.vertex = server.vertex;
    }
    const auto together = [&](VertexId a, VertexId b) { return local.find(redone.at(a)) == local.find(redone.at(b)); };

    std::vector<Timeline::TakenBack::Lost> lost = timeline.taken_back()->services;
    std::sort(lost.begin(), lost.end());
    for (auto one = lost.begin(); one != lost.end();) {
        const SignalHandle signal = one->signal;
        const auto server = servers.find(signal.value());
        StageMask stages = 0;
        for (; one != lost.end() && one->signal == signal; ++one) {
            stages = static_cast<StageMask>(stages | one->stages);
            if (vertices_[one->vertex].gone) continue;  // its set is put together again anyway
            if (server == servers.end() || !together(one->vertex, server->second.vertex)) break_up(one->vertex);
        }
        // Serving less than before, it has another stage or is no evidence at all.
        if (server != servers.end() && (stages & ~server->second.stages) == 0) continue;
        if (const auto service = services_.find(signal.value()); service != services_.end()) break_up(service->second.vertex);
    }
    boost::unordered_flat_map<SetId, std::uint32_t> wholes;
    for (std::size_t c = first_completion; c < completions.size(); ++c) {
        const VertexId vertex = completions[c].vertex;
        const SetId set = vertices_[vertex].set;
        if (sets_[set].broken) continue;
        const bool has_rest = sets_[set].members.size() > redone_of.at(set);
        const std::uint32_t whole = has_rest ? rest_of(vertex) : wholes.try_emplace(set, redone.at(vertex)).first->second;
        if (now.find(redone.at(vertex)) != now.find(whole)) break_up(vertex);
    }
}

}  // namespace catenary::engine
