#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace catenary;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

api::ports::EvidenceRow row_of(const std::string& id, std::chrono::microseconds after, std::vector<engine::EntityMention> entities) {
    api::ports::EvidenceRow row{tests::stored_sign_in(), tests::finding_of_two().id, "access"};
    row.signal.signal.id = id;
    row.signal.signal.time += after;
    row.signal.signal.entities = std::move(entities);
    return row;
}

}  // namespace

TEST_CASE("the graph names entities and signals, and how one comes from each signal to the next") {
    tests::FakeApi api;
    api.incidents.records.emplace(17, tests::incident_of_two(17));
    const engine::EntityMention account{"account", "j.morrison@ne.example", "actor", true};
    const engine::EntityMention host{"host", "ne-fin-014", "", true};
    const engine::EntityMention nobody{"account", "system", "", false};
    api.incidents.rows = {row_of("a", 0s, {account, nobody}), row_of("b", 90s, {account, host}), row_of("c", 100s, {host}), row_of("d", 101s, {nobody})};
    const auto reply = api.get("/api/v1/incidents/17/graph");
    REQUIRE(reply.status == 200);
    const std::string morrison = "entity:account:j.morrison@ne.example";
    const std::string fin = "entity:host:ne-fin-014";
    std::vector<std::string> ids;
    for (const auto& node : reply.body["nodes"]) ids.push_back(node["id"].get<std::string>());
    CHECK(ids ==
          std::vector<std::string>{morrison, "entity:account:system", fin, "signal:entra_id/a", "signal:entra_id/b", "signal:entra_id/c", "signal:entra_id/d"});
    CHECK(reply.body["nodes"][0]["principal"] == true);
    CHECK(reply.body["nodes"][0]["signals"] == 2);
    CHECK(reply.body["nodes"][1]["links"] == false);
    CHECK(reply.body["nodes"][4]["time"] == "2026-03-05T22:48:41Z");
    CHECK(reply.body["edges"].size() == 6);
    CHECK(reply.body["edges"][0]["role"] == "actor");
    const auto& links = reply.body["links"];
    REQUIRE(links.size() == 3);
    CHECK(links[0]["path"] == json{"signal:entra_id/a", morrison, "signal:entra_id/b"});
    CHECK(links[0]["after"] == "PT1M30S");
    CHECK(links[1]["path"] == json{"signal:entra_id/b", fin, "signal:entra_id/c"});
    CHECK(links[2]["path"] == json::array());  // an entity that identifies nobody leads nowhere
    CHECK(api.get("/api/v1/incidents/17/graph?limit=2").body["links"].size() == 1);
    CHECK(api.get("/api/v1/incidents/17/graph?limit=501&cursor=x").pointers() == std::vector<std::string>{"/limit", "/cursor"});
    CHECK(api.get("/api/v1/incidents/18/graph").status == 404);
}

TEST_CASE("similar incidents come with what they share, most alike first") {
    tests::FakeApi api;
    const auto own = tests::incident_of_two(17);
    api.incidents.records.emplace(17, own);
    auto same_victim = own;
    same_victim.number = engine::IncidentNumber{3};
    same_victim.patterns = {"another"};
    same_victim.techniques = {};
    same_victim.entities = {own.principals[0]};
    auto same_method = own;
    same_method.number = engine::IncidentNumber{4};
    same_method.principals = {{"account", "else@ne.example"}};
    same_method.entities = same_method.principals;
    auto stranger = same_method;
    stranger.number = engine::IncidentNumber{5};
    stranger.patterns = {"other"};
    stranger.techniques = {"T9999"};
    for (const auto& each : {same_victim, same_method, stranger}) api.incidents.records.emplace(each.number.value(), each);
    const auto reply = api.get("/api/v1/incidents/17/similar");
    REQUIRE(reply.status == 200);
    CHECK(reply.body["compared"] == 3);
    const auto& items = reply.body["items"];
    REQUIRE(items.size() == 2);
    CHECK(items[0]["number"] == 3);
    CHECK(items[0]["similarity"] == 8);
    CHECK(items[0]["reasons"] == json::parse(R"([{"shared": "principal", "values": ["account:j.morrison@ne.example"], "total": 1}])"));
    CHECK(items[1]["number"] == 4);
    CHECK(items[1]["similarity"] == 4 + 2);
    CHECK(items[1]["reasons"] == json::parse(R"([{"shared": "pattern", "values": ["account-takeover-to-mass-download"], "total": 1},
        {"shared": "technique", "values": ["T1078", "T1564.008"], "total": 2}])"));
    CHECK(api.get("/api/v1/incidents/17/similar?limit=1").body["items"].size() == 1);
    CHECK(api.get("/api/v1/incidents/17/similar?limit=51").status == 400);
    CHECK(api.get("/api/v1/incidents/99/similar").status == 404);
}

TEST_CASE("bad sorts and kinds of lines are refused") {
    struct Case {
        std::string target, pointer, code;
    };
    const Case cases[] = {
        {"/api/v1/incidents?sort=scroe", "/sort", "out_of_range"},
        {"/api/v1/incidents?sort=-score,score", "/sort", "conflict"},
        {"/api/v1/incidents?sort=score,created,updated,number", "/sort", "out_of_range"},
        {"/api/v1/incidents?sort=score,", "/sort", "out_of_range"},
        {"/api/v1/incidents?sort=--score", "/sort", "out_of_range"},
        {"/api/v1/incidents?sort=score&sort=number", "/sort", "conflict"},
        {"/api/v1/incidents?label=", "/label", "missing"},
        {"/api/v1/incidents?first_activity_after=2026-03-02T00:00:00Z&first_activity_before=2026-03-01T00:00:00Z", "/first_activity_before", "conflict"},
        {"/api/v1/incidents/17/activity?what=saying", "/what", "out_of_range"}};
    for (const auto& c : cases) {
        CAPTURE(c.target);
        tests::FakeApi api;
        const auto reply = api.get(c.target);
        CHECK(reply.status == 400);
        REQUIRE(reply.pointers() == std::vector{c.pointer});
        CHECK(reply.body["errors"][0]["code"] == c.code);
    }
    tests::FakeApi api;
    CHECK(api.get("/api/v1/incidents?sort=scroe").body["detail"].get<std::string>().find("did you mean \"score\"?") != std::string::npos);
}
