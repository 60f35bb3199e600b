#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

using namespace catenary;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

/// Adds a signal that mentions these hosts, one minute before those added so far. "-h" is one that identifies nobody.
void add(tests::FakeApi& api, const std::vector<std::string>& hosts) {
    auto row = tests::stored_sign_in();
    row.signal.id = "s" + std::to_string(api.signals.rows.size());
    row.signal.time -= static_cast<int>(api.signals.rows.size()) * 1min;
    row.signal.entities.clear();
    for (const auto& host : hosts) {
        const bool identifies = !host.starts_with('-');
        row.signal.entities.push_back({"host", identifies ? host : host.substr(1), "", identifies});
        if (api.entities.find(api.caller, {"host", host}).has_error()) api.entities.rows.push_back({{"host", host}, identifies});
    }
    api.signals.rows.push_back(row);
}

std::map<std::string, int> hops_by_name(const json& graph) {
    std::map<std::string, int> hops;
    for (const auto& node : graph["nodes"]) hops[node[node["type"] == "signal" ? "id" : "value"].get<std::string>()] = node["hops"].get<int>();
    return hops;
}

}  // namespace

TEST_CASE("the surroundings of an entity grow hop by hop") {
    tests::FakeApi api;
    add(api, {"a", "b"});
    add(api, {"b", "c"});
    add(api, {"c", "d"});
    add(api, {"d", "e"});
    const auto one = api.get("/api/v1/entities/host/a/graph");
    REQUIRE(one.status == 200);
    CHECK(hops_by_name(one.body) == std::map<std::string, int>{{"a", 0}, {"b", 1}, {"s0", 1}});
    CHECK(one.body["edges"] == json::parse(R"([{"signal":2,"entity":0},{"signal":2,"entity":1}])"));
    CHECK(one.body["counts"] == json::parse(R"({"entities":2,"signals":1,"edges":2})"));
    CHECK(one.body["truncated"] == false);
    const auto three = api.get("/api/v1/entities/host/a/graph?hops=3").body;
    CHECK(hops_by_name(three) == std::map<std::string, int>{{"a", 0}, {"b", 1}, {"c", 2}, {"d", 3}, {"s0", 1}, {"s1", 2}, {"s2", 3}});
    CHECK(api.get("/api/v1/entities/host/a/graph?hops=4").pointers() == std::vector<std::string>{"/hops"});
}

TEST_CASE("a name that identifies nobody is shown and leads nowhere") {
    tests::FakeApi api;
    add(api, {"a", "-localhost"});
    add(api, {"-localhost", "b"});
    const auto graph = api.get("/api/v1/entities/host/a/graph?hops=3").body;
    CHECK(hops_by_name(graph) == std::map<std::string, int>{{"a", 0}, {"localhost", 1}, {"s0", 1}});
    CHECK(graph["nodes"][1]["links"] == false);
}

TEST_CASE("an entity without signals in the range is an empty graph") {
    tests::FakeApi api;
    api.entities.rows.push_back({{"host", "a"}, true});
    const auto graph = api.get("/api/v1/entities/host/a/graph").body;
    CHECK(graph["nodes"].empty());
    CHECK(graph["truncated"] == false);
}

TEST_CASE("a graph is bounded, says so, and a busy neighbour does not crowd out the others") {
    tests::FakeApi api;
    add(api, {"a", "busy"});
    add(api, {"a", "quiet"});
    for (int i = 0; i < 300; ++i) add(api, {"busy", "x" + std::to_string(i)});
    add(api, {"quiet", "found"});
    const auto graph = api.get("/api/v1/entities/host/a/graph?hops=2").body;
    CHECK(graph["truncated"] == true);
    CHECK(graph["counts"]["signals"] == 103);  // two of a, the newest 100 further ones of busy, one of quiet
    CHECK(hops_by_name(graph).contains("found"));
}

TEST_CASE("many names in each signal stay within the bounds of nodes and edges") {
    tests::FakeApi api;
    for (int i = 0; i < 60; ++i) {
        std::vector<std::string> hosts{"a"};
        for (int n = 0; n < 40; ++n) hosts.push_back("x" + std::to_string(i) + "_" + std::to_string(n));
        add(api, hosts);
    }
    const auto graph = api.get("/api/v1/entities/host/a/graph").body;
    CHECK(graph["truncated"] == true);
    CHECK(graph["nodes"].size() <= 1'000);
    CHECK(graph["nodes"].size() > 900);
    for (const auto& edge : graph["edges"]) CHECK(edge["signal"].get<std::size_t>() < graph["nodes"].size());
}
