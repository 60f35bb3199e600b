#pragma once

#include "engine/graph/signal_graph.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <optional>
#include <span>

namespace catenary::api::json {

/// The members `nodes` and `edges` of a graph's reply (schemas GraphNode and GraphEdge of openapi.yaml). A node's `node` is its index, which edges refer to.
/// `steps`: edges between the start of a walk and each node, shown as `hops`, two to a hop (a signal belongs to the hop that it leads to); empty for a graph
/// without a start.
nlohmann::ordered_json to_json(const engine::SignalGraph& graph, std::span<const std::optional<std::size_t>> steps = {});

}  // namespace catenary::api::json
