#include "api/handlers/incidents.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/finding_json.hpp"
#include "api/json/time_json.hpp"
#include "engine/graph/signal_graph.hpp"

#include <algorithm>

namespace catenary::api::handlers {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::int64_t most_signals = 500;
constexpr std::int64_t usual_signals = 200;

std::string name_of(const engine::GraphEntityNode& node) { return "entity:" + node.key.kind + ':' + node.key.value; }
std::string name_of(const engine::GraphSignalNode& node) { return "signal:" + node.ref.source + '/' + node.ref.id; }
std::string name_of(const engine::GraphNode& node) {
    return std::visit([](const auto& it) { return name_of(it); }, node);
}

std::vector<engine::GraphSignal> graph_signals(const std::vector<ports::EvidenceRow>& rows) {
    std::vector<engine::GraphSignal> signals;
    for (const auto& row : rows) {
        const auto& signal = row.signal.signal;
        engine::GraphSignal one{{signal.time, signal.source, signal.id}, signal.name, {}};
        for (const auto& mention : signal.entities) one.entities.push_back({{mention.kind, mention.value}, mention.role, mention.identifies});
        signals.push_back(std::move(one));
    }
    return signals;
}

Json node_item(const engine::GraphEntityNode& node, const engine::IncidentRecord& incident) {
    const bool is_principal = std::ranges::find(incident.principals, node.key) != incident.principals.end();
    return {{"id", name_of(node)},       {"type", "entity"},        {"kind", node.key.kind}, {"value", node.key.value},
            {"principal", is_principal}, {"signals", node.signals}, {"links", node.links}};
}

Json node_item(const engine::GraphSignalNode& node, const ports::EvidenceRow& row) {
    return {{"id", name_of(node)},
            {"type", "signal"},
            {"source", node.ref.source},
            {"signal", node.ref.id},
            {"time", json::format_time(node.ref.time)},
            {"name", node.name},
            {"domain", row.signal.signal.domain},
            {"finding", json::text_of(row.finding)},
            {"stage", row.stage}};
}

Json nodes_of(const engine::SignalGraph& graph, const engine::IncidentRecord& incident, const std::vector<ports::EvidenceRow>& rows) {
    Json nodes = Json::array();
    for (std::size_t i = 0; i < graph.size(); ++i) {
        const auto& node = graph.node(i);
        // Evidence comes by (time, source, id), each signal once, as the graph numbers its signals.
        if (const auto* entity = std::get_if<engine::GraphEntityNode>(&node)) nodes.push_back(node_item(*entity, incident));
        else nodes.push_back(node_item(std::get<engine::GraphSignalNode>(node), rows.at(i - graph.entity_count())));
    }
    return nodes;
}

Json edges_of(const engine::SignalGraph& graph) {
    Json edges = Json::array();
    for (const auto& edge : graph.edges()) {
        Json item{{"from", name_of(graph.node(edge.signal))}, {"to", name_of(graph.node(edge.entity))}};
        if (!edge.role.empty()) item["role"] = edge.role;
        edges.push_back(std::move(item));
    }
    return edges;
}

/// From each signal to the one after it in time: how long after, and by which entities one comes from one to the other.
Json links_of(const engine::SignalGraph& graph) {
    Json links = Json::array();
    for (std::size_t i = graph.entity_count() + 1; i < graph.size(); ++i) {
        const auto& from = std::get<engine::GraphSignalNode>(graph.node(i - 1));
        const auto& to = std::get<engine::GraphSignalNode>(graph.node(i));
        Json path = Json::array();
        for (const auto step : graph.path(i - 1, i)) path.push_back(name_of(graph.node(step)));
        links.push_back(
            {{"from", name_of(from)}, {"to", name_of(to)}, {"after", json::format_iso_duration(to.ref.time - from.ref.time)}, {"path", std::move(path)}});
    }
    return links;
}

}  // namespace

http::Response incident_graph(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    const auto limit = query.integer("limit", 1, most_signals).value_or(usual_signals);
    if (auto refusal = query.refusal()) return *refusal;
    const auto number = number_in_path(request);
    if (!number) return failure_reply(request, number.error());
    const auto evidence = services.incidents.evidence(caller, *number, {static_cast<std::size_t>(limit), ""});
    if (!evidence) return failure_reply(request, evidence.error());
    const auto& incident = evidence->record;
    const auto& signals = evidence->page.items;
    const engine::SignalGraph graph{graph_signals(signals)};
    return json_reply(
        200, {{"nodes", nodes_of(graph, incident, signals)}, {"edges", edges_of(graph)}, {"links", links_of(graph)}, {"signal_total", incident.signal_count}});
}

}  // namespace catenary::api::handlers
