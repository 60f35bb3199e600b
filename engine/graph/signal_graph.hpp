#pragma once

#include "engine/model/entity_key.hpp"
#include "engine/model/signal.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace catenary::engine {

/// One entity of a graph's signal.
struct GraphMention {
    EntityKey entity;
    std::string role;   ///< "" when not given
    bool links = true;  ///< false: identifies nobody, or a hub: a node of its own, but nothing is reached through it
};

/// A signal as the graph reads it.
struct GraphSignal {
    SignalRef ref;
    std::string name;
    std::vector<GraphMention> entities;
};

struct GraphEntityNode {
    EntityKey key;
    bool links = true;        ///< every mention of it links
    std::size_t signals = 0;  ///< that mention it in this graph
};
struct GraphSignalNode {
    SignalRef ref;
    std::string name;
};
using GraphNode = std::variant<GraphEntityNode, GraphSignalNode>;

/// A signal mentions an entity; both are indices into SignalGraph::nodes().
struct GraphEdge {
    std::size_t signal = 0;
    std::size_t entity = 0;
    std::string role;
};

/// Which entities some signals mention: two sorts of nodes, an edge from a signal to each entity it mentions. Made for what fits on a screen (an
/// incident, the surroundings of an entity), rebuilt rather than changed. Nodes are ordered and numbered the same whatever order the signals came in:
/// entities by (kind, value), then signals by (time, source, id). Every answer is a function of that order, so equal inputs give equal answers.
///
/// An entity that does not link is reached but never passed: it ends a walk, joins no components and is only ever an end of a path.
class SignalGraph {
public:
    /// A signal given twice counts once (the first stays); an entity mentioned twice by a signal has one edge, with the first role.
    explicit SignalGraph(std::vector<GraphSignal> signals);
    ~SignalGraph();
    SignalGraph(SignalGraph&&) noexcept;
    SignalGraph& operator=(SignalGraph&&) noexcept;

    std::size_t size() const;
    std::size_t entity_count() const;  ///< nodes below this index are entities, the others signals
    const GraphNode& node(std::size_t index) const;
    /// By (signal, entity).
    std::span<const GraphEdge> edges() const;

    std::optional<std::size_t> find(const EntityKey& entity) const;
    std::optional<std::size_t> find(const SignalRef& signal) const;

    /// Edges between `start` and each node, empty where no walk leads or more than `steps` edges are needed. One hop from an entity to another, over a signal
    /// that mentions both, is two edges.
    std::vector<std::optional<std::size_t>> distances(std::size_t start, std::size_t steps) const;

    /// Nodes in groups that linking entities hold together, each group in node order, groups by size (largest first), then by first node. A node that does not
    /// link stands alone.
    std::vector<std::vector<std::size_t>> components() const;

    /// A shortest walk from one node to the other, both included; empty when there is none. Of several the least, comparing node by node from the first on.
    std::vector<std::size_t> path(std::size_t from, std::size_t to) const;

    /// The graph of the given nodes and the edges between them. Indices are those of this graph, in any order, repeats allowed.
    SignalGraph part(std::span<const std::size_t> nodes) const;

private:
    struct Built;
    SignalGraph();                  ///< empty, for part()
    std::unique_ptr<Built> built_;  // keeps Boost.Graph out of this header
};

}  // namespace catenary::engine
