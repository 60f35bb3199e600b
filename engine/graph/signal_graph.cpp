#include "engine/graph/signal_graph.hpp"

#include "engine/model/assert.hpp"

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/connected_components.hpp>
#include <boost/graph/filtered_graph.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace catenary::engine {
namespace {

/// Vertices are node indices: they are all made at once and never removed.
using Adjacency = boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS>;
using AdjacencyEdge = boost::graph_traits<Adjacency>::edge_descriptor;

/// Of the edges out of a vertex, those a walk may take: out of a node that links, or out of the start.
struct MayLeave {
    const Adjacency* adjacency = nullptr;  // filtered graphs want a predicate that can be made empty
    const std::vector<bool>* links = nullptr;
    std::size_t start = 0;
    bool operator()(const AdjacencyEdge& edge) const {
        const auto leaving = boost::source(edge, *adjacency);
        return leaving == start || (*links)[leaving];
    }
};

/// Edges with a linking node at both ends.
struct Links {
    const Adjacency* adjacency = nullptr;
    const std::vector<bool>* links = nullptr;
    bool operator()(const AdjacencyEdge& edge) const { return (*links)[boost::source(edge, *adjacency)] && (*links)[boost::target(edge, *adjacency)]; }
};

}  // namespace

struct SignalGraph::Built {
    std::vector<GraphNode> nodes;
    std::vector<GraphEdge> edges;
    std::size_t entities = 0;
    Adjacency adjacency;
    std::vector<bool> links;  ///< by node; signals do

    /// From nodes and edges in their order.
    void connect() {
        adjacency = Adjacency{nodes.size()};
        links.assign(nodes.size(), true);
        for (std::size_t i = 0; i < entities; ++i) links[i] = std::get<GraphEntityNode>(nodes[i]).links;
        // In the order of `edges`, so that each node's neighbours come in node order and a breadth-first walk finds the least of the shortest paths.
        for (const auto& edge : edges) {
            boost::add_edge(edge.signal, edge.entity, adjacency);
            ++std::get<GraphEntityNode>(nodes[edge.entity]).signals;
        }
    }

    struct Walked {
        std::vector<std::optional<std::size_t>> distances;
        std::vector<std::size_t> before;
    };
    Walked walk(std::size_t start) const {
        const boost::filtered_graph<Adjacency, MayLeave> walkable{adjacency, MayLeave{&adjacency, &links, start}};
        std::vector<std::size_t> steps(nodes.size(), 0), before(nodes.size(), start);
        std::vector<boost::default_color_type> colours(nodes.size(), boost::white_color);
        boost::breadth_first_search(walkable, start,
                                    boost::color_map(boost::make_iterator_property_map(colours.begin(), boost::get(boost::vertex_index, adjacency)))
                                        .visitor(boost::make_bfs_visitor(std::make_pair(boost::record_distances(steps.data(), boost::on_tree_edge()),
                                                                                        boost::record_predecessors(before.data(), boost::on_tree_edge())))));
        Walked walked{std::vector<std::optional<std::size_t>>(nodes.size()), std::move(before)};
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (colours[i] != boost::white_color) walked.distances[i] = steps[i];
        }
        return walked;
    }
};

SignalGraph::SignalGraph(std::vector<GraphSignal> signals) : SignalGraph{} {
    std::stable_sort(signals.begin(), signals.end(), [](const auto& a, const auto& b) { return a.ref < b.ref; });
    signals.erase(std::unique(signals.begin(), signals.end(), [](const auto& a, const auto& b) { return a.ref == b.ref; }), signals.end());
    std::map<EntityKey, std::pair<bool, std::size_t>> entities;  // whether it links, its index
    for (const auto& signal : signals) {
        for (const auto& mention : signal.entities) {
            const auto [place, is_new] = entities.try_emplace(mention.entity, mention.links, 0);
            if (!is_new && !mention.links) place->second.first = false;
        }
    }
    for (auto& [key, entity] : entities) {
        entity.second = built_->nodes.size();
        built_->nodes.emplace_back(GraphEntityNode{key, entity.first, 0});
    }
    built_->entities = built_->nodes.size();
    for (auto& signal : signals) {
        std::map<std::size_t, std::string> mentioned;
        for (auto& mention : signal.entities) mentioned.try_emplace(entities.find(mention.entity)->second.second, std::move(mention.role));
        for (auto& [entity, role] : mentioned) built_->edges.push_back({built_->nodes.size(), entity, std::move(role)});
        built_->nodes.emplace_back(GraphSignalNode{std::move(signal.ref), std::move(signal.name)});
    }
    built_->connect();
}

SignalGraph::SignalGraph() : built_{std::make_unique<Built>()} {}
SignalGraph::~SignalGraph() = default;
SignalGraph::SignalGraph(SignalGraph&&) noexcept = default;
SignalGraph& SignalGraph::operator=(SignalGraph&&) noexcept = default;

std::size_t SignalGraph::size() const { return built_->nodes.size(); }
std::size_t SignalGraph::entity_count() const { return built_->entities; }
std::span<const GraphEdge> SignalGraph::edges() const { return built_->edges; }

const GraphNode& SignalGraph::node(std::size_t index) const {
    CATENARY_ASSERT(index < size(), "a node of this graph");
    return built_->nodes[index];
}

std::optional<std::size_t> SignalGraph::find(const EntityKey& entity) const {
    const auto end = built_->nodes.begin() + static_cast<std::ptrdiff_t>(built_->entities);
    const auto key = [](const GraphNode& node) -> const EntityKey& { return std::get<GraphEntityNode>(node).key; };
    const auto found = std::ranges::lower_bound(built_->nodes.begin(), end, entity, {}, key);
    if (found == end || key(*found) != entity) return std::nullopt;
    return static_cast<std::size_t>(found - built_->nodes.begin());
}

std::optional<std::size_t> SignalGraph::find(const SignalRef& signal) const {
    const auto begin = built_->nodes.begin() + static_cast<std::ptrdiff_t>(built_->entities);
    const auto key = [](const GraphNode& node) -> const SignalRef& { return std::get<GraphSignalNode>(node).ref; };
    const auto found = std::ranges::lower_bound(begin, built_->nodes.end(), signal, {}, key);
    if (found == built_->nodes.end() || key(*found) != signal) return std::nullopt;
    return static_cast<std::size_t>(found - built_->nodes.begin());
}

std::vector<std::optional<std::size_t>> SignalGraph::distances(std::size_t start, std::size_t steps) const {
    CATENARY_ASSERT(start < size(), "a node of this graph");
    auto walked = built_->walk(start);
    for (auto& distance : walked.distances) {
        if (distance && *distance > steps) distance.reset();
    }
    return std::move(walked.distances);
}

std::vector<std::vector<std::size_t>> SignalGraph::components() const {
    const boost::filtered_graph<Adjacency, Links> linked{built_->adjacency, Links{&built_->adjacency, &built_->links}};
    std::vector<std::size_t> number(size(), 0);
    const auto count =
        boost::connected_components(linked, boost::make_iterator_property_map(number.begin(), boost::get(boost::vertex_index, built_->adjacency)));
    std::vector<std::vector<std::size_t>> groups(count);
    for (std::size_t i = 0; i < number.size(); ++i) groups[number[i]].push_back(i);
    std::ranges::sort(groups, [](const auto& a, const auto& b) { return a.size() != b.size() ? a.size() > b.size() : a.front() < b.front(); });
    return groups;
}

std::vector<std::size_t> SignalGraph::path(std::size_t from, std::size_t to) const {
    CATENARY_ASSERT(from < size() && to < size(), "nodes of this graph");
    const auto walked = built_->walk(from);
    if (!walked.distances[to]) return {};
    std::vector<std::size_t> nodes{to};
    while (nodes.back() != from) nodes.push_back(walked.before[nodes.back()]);
    std::ranges::reverse(nodes);
    return nodes;
}

SignalGraph SignalGraph::part(std::span<const std::size_t> nodes) const {
    std::vector<std::optional<std::size_t>> renumbered(size());
    for (const auto node : nodes) {
        CATENARY_ASSERT(node < size(), "a node of this graph");
        renumbered[node] = 0;
    }
    SignalGraph kept;
    auto& built = kept.built_;
    for (std::size_t i = 0; i < size(); ++i) {
        if (!renumbered[i]) continue;
        renumbered[i] = built->nodes.size();
        built->nodes.push_back(built_->nodes[i]);
        if (i >= built_->entities) continue;
        ++built->entities;
        std::get<GraphEntityNode>(built->nodes.back()).signals = 0;
    }
    for (const auto& edge : built_->edges) {
        if (renumbered[edge.signal] && renumbered[edge.entity]) built->edges.push_back({*renumbered[edge.signal], *renumbered[edge.entity], edge.role});
    }
    built->connect();
    return kept;
}

}  // namespace catenary::engine
