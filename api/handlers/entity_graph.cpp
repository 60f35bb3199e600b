#include "api/handlers/entities.hpp"

#include "api/handlers/filters.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/entity_json.hpp"
#include "api/json/graph_json.hpp"
#include "engine/graph/signal_graph.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace catenary::api::handlers {
namespace {

// Bounds of one reply. They keep it to what can be looked at, and each hop to one query.
constexpr std::size_t most_nodes = 1'000;
constexpr std::size_t most_edges = 4'000;
constexpr std::size_t frontier_entities = 100;  // of a hop whose signals are read
constexpr std::size_t signals_a_hop = 500;
constexpr std::size_t signals_an_entity = 100;  // of those, so that a busy neighbour does not crowd out the others

/// Grows outwards from one entity, hop by hop: the newest signals of all entities reached so far but not yet asked, then the entities these mention.
class Surroundings {
public:
    Surroundings(engine::EntityKey start, ports::TimeRange time) : start_{std::move(start)}, time_{time} { frontier_[start_] = 0; }

    ports::Outcome<bool> grow(const Caller& caller, ports::Services& services) {
        ports::SignalFilter filter;
        filter.time = time_;
        filter.entities = next_asked();
        if (filter.entities.empty()) return true;
        const auto page = services.signals.page(caller, filter, {signals_a_hop, ""});
        if (!page) return page.error();
        truncated_ = truncated_ || page->next.has_value();
        const std::set<engine::EntityKey> asked(filter.entities.begin(), filter.entities.end());
        std::map<engine::EntityKey, std::size_t> taken;
        for (const auto& row : page->items) add(row.signal, asked, taken);
        return true;
    }

    bool truncated() const { return truncated_; }
    engine::SignalGraph graph() && { return engine::SignalGraph{std::move(signals_)}; }

private:
    /// The entities to ask for now, those in most signals first.
    std::vector<engine::EntityKey> next_asked() {
        std::vector<std::pair<std::size_t, engine::EntityKey>> ranked;
        for (auto& [key, signals] : frontier_) ranked.emplace_back(signals, key);
        frontier_.clear();
        std::ranges::sort(ranked, [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
        if (ranked.size() > frontier_entities) {
            truncated_ = true;
            ranked.resize(frontier_entities);
        }
        std::vector<engine::EntityKey> keys;
        for (auto& [signals, key] : ranked) {
            asked_.insert(key);
            keys.push_back(std::move(key));
        }
        return keys;
    }

    void add(const engine::Signal& signal, const std::set<engine::EntityKey>& asked, std::map<engine::EntityKey, std::size_t>& taken) {
        engine::SignalRef ref{signal.time, signal.source, signal.id};
        if (seen_.contains(ref)) return;
        std::size_t new_nodes = 1;
        bool wanted = false;
        for (const auto& mention : signal.entities) {
            const engine::EntityKey key{mention.kind, mention.value};
            if (!entities_.contains(key)) ++new_nodes;
            if (asked.contains(key) && taken[key] < signals_an_entity) wanted = true;
        }
        if (!wanted || nodes_ + new_nodes > most_nodes || edges_ + signal.entities.size() > most_edges) {
            truncated_ = true;
            return;
        }
        engine::GraphSignal made{ref, signal.name, {}};
        for (const auto& mention : signal.entities) {
            const engine::EntityKey key{mention.kind, mention.value};
            if (asked.contains(key)) ++taken[key];
            entities_.insert(key);
            if (mention.identifies && !asked_.contains(key)) ++frontier_[key];
            made.entities.push_back({key, mention.role, mention.identifies});
        }
        nodes_ += new_nodes;
        edges_ += signal.entities.size();
        seen_.insert(std::move(ref));
        signals_.push_back(std::move(made));
    }

    engine::EntityKey start_;
    ports::TimeRange time_;
    std::map<engine::EntityKey, std::size_t> frontier_;  ///< reached, not asked yet; with the signals that lead there
    std::set<engine::EntityKey> asked_, entities_;
    std::set<engine::SignalRef> seen_;
    std::vector<engine::GraphSignal> signals_;
    std::size_t nodes_ = 0, edges_ = 0;
    bool truncated_ = false;
};

}  // namespace

http::Response entity_graph(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    const auto hops = static_cast<std::size_t>(query.integer("hops", 1, 3).value_or(1));
    const auto time = range_in(query, "time");
    if (auto refusal = query.refusal()) return *refusal;
    const auto entity = entity_in_path(request, caller, services);
    if (!entity) return failure_reply(request, entity.error());
    Surroundings surroundings{entity->key, time};
    for (std::size_t hop = 0; hop < hops; ++hop) {
        if (const auto grown = surroundings.grow(caller, services); !grown) return failure_reply(request, grown.error());
    }
    const bool truncated = surroundings.truncated();
    const auto graph = std::move(surroundings).graph();
    std::vector<std::optional<std::size_t>> steps;
    if (const auto start = graph.find(entity->key)) steps = graph.distances(*start, 2 * hops);
    auto body = json::to_json(graph, steps);
    body["entity"] = json::entity_key_to_json(*entity);
    body["hops"] = hops;
    body["truncated"] = truncated;
    body["counts"] = {{"entities", graph.entity_count()}, {"signals", graph.size() - graph.entity_count()}, {"edges", graph.edges().size()}};
    return json_reply(200, body);
}

}  // namespace catenary::api::handlers
