#include "engine/graph/signal_graph.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

using namespace catenary::engine;

namespace {

GraphSignal signal(std::string id, int minute, std::vector<std::string> accounts_and_hosts, std::vector<std::string> nobodies = {}) {
    GraphSignal made{{Timestamp{std::chrono::minutes{minute}}, "src", id}, "name_" + id, {}};
    for (auto& value : accounts_and_hosts) made.entities.push_back({{value.starts_with("h") ? "host" : "account", value}, "", true});
    for (auto& value : nobodies) made.entities.push_back({{"account", value}, "actor", false});
    return made;
}

SignalRef ref(std::string id, int minute) { return {Timestamp{std::chrono::minutes{minute}}, "src", std::move(id)}; }

/// Nodes as text: "host:h1" and "src/s1".
std::string label(const SignalGraph& graph, std::size_t index) {
    if (const auto* entity = std::get_if<GraphEntityNode>(&graph.node(index))) return entity->key.kind + ':' + entity->key.value;
    const auto& found = std::get<GraphSignalNode>(graph.node(index)).ref;
    return found.source + '/' + found.id;
}
std::vector<std::string> labels(const SignalGraph& graph, const std::vector<std::size_t>& nodes) {
    std::vector<std::string> texts;
    for (const auto node : nodes) texts.push_back(label(graph, node));
    return texts;
}
std::string written(const SignalGraph& graph) {
    std::string text;
    for (std::size_t i = 0; i < graph.size(); ++i) text += label(graph, i) + '\n';
    for (const auto& edge : graph.edges()) text += label(graph, edge.signal) + " -" + edge.role + "- " + label(graph, edge.entity) + '\n';
    return text;
}
std::optional<std::size_t> distance(const SignalGraph& graph, const EntityKey& from, const EntityKey& to, std::size_t steps) {
    return graph.distances(graph.find(from).value(), steps).at(graph.find(to).value());
}

const EntityKey alice{"account", "alice"}, bob{"account", "bob"}, h1{"host", "h1"}, h2{"host", "h2"}, root{"account", "root"};

/// alice - s1 - h1 - s2 - bob - s3 - h2
std::vector<GraphSignal> chain() { return {signal("s1", 1, {"alice", "h1"}), signal("s2", 2, {"bob", "h1"}), signal("s3", 3, {"bob", "h2"})}; }

}  // namespace

TEST_CASE("entities and signals become nodes, a mention becomes an edge") {
    const SignalGraph graph{chain()};
    CHECK(graph.size() == 7);
    CHECK(graph.entity_count() == 4);
    CHECK(written(graph) ==
          "account:alice\naccount:bob\nhost:h1\nhost:h2\nsrc/s1\nsrc/s2\nsrc/s3\n"
          "src/s1 -- account:alice\nsrc/s1 -- host:h1\nsrc/s2 -- account:bob\nsrc/s2 -- host:h1\nsrc/s3 -- account:bob\nsrc/s3 -- host:h2\n");
    CHECK(std::get<GraphEntityNode>(graph.node(graph.find(bob).value())).signals == 2);
    CHECK(std::get<GraphSignalNode>(graph.node(graph.find(ref("s2", 2)).value())).name == "name_s2");
    CHECK(!graph.find(EntityKey{"account", "h1"}).has_value());
    CHECK(!graph.find(ref("s2", 3)).has_value());
}

TEST_CASE("no signals make an empty graph, a signal without entities a lonely node") {
    CHECK(SignalGraph{std::vector<GraphSignal>{}}.size() == 0);
    CHECK(SignalGraph{std::vector<GraphSignal>{}}.components().empty());
    const SignalGraph graph{{signal("s1", 1, {})}};
    CHECK(graph.size() == 1);
    CHECK(graph.edges().empty());
    CHECK(graph.path(0, 0) == std::vector<std::size_t>{0});
}

TEST_CASE("signals and mentions given twice count once, the first role stays") {
    auto twice = signal("s1", 1, {"alice"});
    twice.entities.front().role = "actor";
    twice.entities.push_back({alice, "target", true});
    const SignalGraph graph{{twice, signal("s1", 1, {"bob"})}};
    CHECK(written(graph) == "account:alice\nsrc/s1\nsrc/s1 -actor- account:alice\n");
}

TEST_CASE("distances count edges and stop at the limit, which is inclusive") {
    const SignalGraph graph{chain()};
    CHECK(distance(graph, alice, alice, 0) == 0);
    CHECK(distance(graph, alice, h1, 2) == 2);
    CHECK(!distance(graph, alice, h1, 1).has_value());
    CHECK(distance(graph, alice, h2, 6) == 6);
    CHECK(!distance(graph, alice, h2, 5).has_value());
}

TEST_CASE("what does not link is reached, never passed") {
    const SignalGraph graph{{signal("s1", 1, {"alice"}, {"root"}), signal("s2", 2, {"bob"}, {"root"})}};
    CHECK(distance(graph, alice, root, 9) == 2);
    CHECK(!distance(graph, alice, bob, 9).has_value());
    CHECK(distance(graph, root, bob, 9) == 2);  // it may be where a walk starts
    CHECK(graph.path(graph.find(alice).value(), graph.find(bob).value()).empty());
    CHECK(labels(graph, graph.path(graph.find(alice).value(), graph.find(root).value())) ==
          std::vector<std::string>{"account:alice", "src/s1", "account:root"});
    std::vector<std::vector<std::string>> groups;
    for (const auto& group : graph.components()) groups.push_back(labels(graph, group));
    CHECK(groups == std::vector<std::vector<std::string>>{{"account:alice", "src/s1"}, {"account:bob", "src/s2"}, {"account:root"}});
}

TEST_CASE("one mention that does not link is enough") {
    auto hub = signal("s1", 1, {"alice", "h1"});
    hub.entities.back().links = false;
    const SignalGraph graph{{hub, signal("s2", 2, {"bob", "h1"})}};
    CHECK(!distance(graph, alice, bob, 9).has_value());
}

TEST_CASE("components are ordered by size, then by first node") {
    const SignalGraph graph{{signal("a", 5, {"alice"}), signal("b", 1, {"bob", "h2"}), signal("c", 2, {"h2"}), signal("d", 9, {"h1"})}};
    std::vector<std::vector<std::string>> groups;
    for (const auto& group : graph.components()) groups.push_back(labels(graph, group));
    CHECK(groups == std::vector<std::vector<std::string>>{{"account:bob", "host:h2", "src/b", "src/c"}, {"account:alice", "src/a"}, {"host:h1", "src/d"}});
}

TEST_CASE("of several shortest paths the least is told") {
    // alice and bob meet at h1 and at h2, each by several signals.
    const SignalGraph graph{{signal("late", 9, {"alice", "h1"}), signal("early", 1, {"alice", "h1"}), signal("other", 0, {"alice", "h2"}),
                             signal("x", 5, {"bob", "h1"}), signal("y", 4, {"bob", "h2"}), signal("z", 6, {"bob", "h1"})}};
    CHECK(labels(graph, graph.path(graph.find(alice).value(), graph.find(bob).value())) ==
          std::vector<std::string>{"account:alice", "src/other", "host:h2", "src/y", "account:bob"});
    CHECK(labels(graph, graph.path(graph.find(ref("early", 1)).value(), graph.find(ref("z", 6)).value())) ==
          std::vector<std::string>{"src/early", "host:h1", "src/z"});
}

TEST_CASE("a part keeps the nodes asked for and the edges between them") {
    const SignalGraph graph{chain()};
    const std::vector<std::size_t> wanted{graph.find(ref("s2", 2)).value(), graph.find(bob).value(), graph.find(h2).value(), graph.find(bob).value()};
    const auto part = graph.part(wanted);
    CHECK(written(part) == "account:bob\nhost:h2\nsrc/s2\nsrc/s2 -- account:bob\n");
    CHECK(std::get<GraphEntityNode>(part.node(0)).signals == 1);
    CHECK(part.find(h2) == 1);
}

TEST_CASE("property: the order in which signals come changes nothing, and walks agree with a plain search") {
    for (std::uint32_t seed = 0; seed < 200; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        std::vector<GraphSignal> signals;
        for (int i = 0; i < 14; ++i) {
            auto made = signal(std::to_string(i), static_cast<int>(random() % 4), {});
            for (std::uint32_t n = random() % 4; n > 0; --n) {
                const auto value = random() % 12;
                made.entities.push_back({{"account", std::to_string(value)}, "", value % 5 != 0});
            }
            signals.push_back(made);
        }
        const SignalGraph graph{signals};
        std::shuffle(signals.begin(), signals.end(), random);
        CHECK(written(SignalGraph{signals}) == written(graph));

        // Distances by relaxing every edge until nothing changes.
        const auto links = [&](std::size_t i) { return i >= graph.entity_count() || std::get<GraphEntityNode>(graph.node(i)).links; };
        for (std::size_t start = 0; start < graph.size(); ++start) {
            std::vector<std::optional<std::size_t>> expected(graph.size());
            expected[start] = 0;
            for (bool changed = true; changed;) {
                changed = false;
                const auto relax = [&](std::size_t a, std::size_t b) {
                    if (!expected[a] || (a != start && !links(a)) || (expected[b] && *expected[b] <= *expected[a] + 1)) return;
                    expected[b] = *expected[a] + 1;
                    changed = true;
                };
                for (const auto& edge : graph.edges()) {
                    relax(edge.signal, edge.entity);
                    relax(edge.entity, edge.signal);
                }
            }
            CHECK(graph.distances(start, graph.size()) == expected);
            for (std::size_t end = 0; end < graph.size(); ++end) CHECK(graph.path(start, end).size() == (expected[end] ? *expected[end] + 1 : 0));
        }
    }
}
