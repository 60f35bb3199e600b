#include "api/json/graph_json.hpp"

#include "api/json/time_json.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace catenary::api::json {

using Json = nlohmann::ordered_json;

Json to_json(const engine::SignalGraph& graph, std::span<const std::optional<std::size_t>> steps) {
    auto nodes = Json::array();
    for (std::size_t i = 0; i < graph.size(); ++i) {
        Json item{{"node", i}};
        if (const auto* entity = std::get_if<engine::GraphEntityNode>(&graph.node(i))) {
            item["type"] = "entity";
            item["kind"] = entity->key.kind;
            item["value"] = entity->key.value;
            item["links"] = entity->links;
            item["signals"] = entity->signals;
        } else {
            const auto& signal = std::get<engine::GraphSignalNode>(graph.node(i));
            item["type"] = "signal";
            item["source"] = signal.ref.source;
            item["id"] = signal.ref.id;
            item["name"] = signal.name;
            item["time"] = format_time(signal.ref.time);
        }
        if (i < steps.size() && steps[i]) item["hops"] = (*steps[i] + 1) / 2;
        nodes.push_back(std::move(item));
    }
    auto edges = Json::array();
    for (const auto& edge : graph.edges()) {
        Json item{{"signal", edge.signal}, {"entity", edge.entity}};
        if (!edge.role.empty()) item["role"] = edge.role;
        edges.push_back(std::move(item));
    }
    return {{"nodes", std::move(nodes)}, {"edges", std::move(edges)}};
}

}  // namespace catenary::api::json
