#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

const engine::EntityKey alice{"account", "j.morrison@ne.example"};

engine::ChainStage stage(const std::string& id, const std::string& time) { return {id, {tests::at(time), "entra_id", "aad-" + id}}; }

/// The API with a pattern of three stages: a, then b at most 4 h later, then c, all within a day.
struct World {
    World() {
        const auto document = json::parse(R"({"id":"own","title":"T","within":"24h","link":{"same":["account"]},"stages":[
            {"id":"a","match":{"name":"sign_in"}},{"id":"b","match":{"name":"rule"}},{"id":"c","match":{"name":"download"}}]})");
        REQUIRE(api.post("/api/v1/patterns", document).status == 201);
    }
    void add(const std::string& name, const std::string& time, const std::string& account = alice.value) {
        auto row = tests::stored_sign_in();
        row.signal.name = name;
        row.signal.id = name + time + account;
        row.signal.time = tests::at(time);
        row.signal.entities = {{"account", account, "actor", true}};
        api.signals.rows.insert(api.signals.rows.begin(), row);  // newest first
    }
    json why_not() {
        const auto reply = api.post("/api/v1/patterns/own/why-not",
                                    {{"entity", "account:J.Morrison@ne.example"}, {"from", "2026-03-05T00:00:00Z"}, {"to", "2026-03-08T00:00:00Z"}});
        REQUIRE(reply.status == 200);
        return reply.body;
    }
    tests::FakeApi api;
};

}  // namespace

TEST_CASE("a chain that is part-way shows what it reached, awaits and until when") {
    tests::FakeApi api;
    engine::PartialChain chain;
    chain.pattern = "p";
    chain.title = "Title";
    chain.entity = alice;
    chain.reached = {stage("a", "2026-03-05T22:00:00Z"), stage("b", "2026-03-05T23:00:00Z")};
    chain.missing = {"c", "d"};
    chain.stages = 4;
    chain.start = tests::at("2026-03-05T22:00:00Z");
    chain.end = tests::at("2026-03-05T23:00:00Z");
    chain.until = tests::at("2026-03-06T22:00:00Z");
    api.chains.part_way = {{chain}, 7, false, tests::at("2026-03-05T22:30:00Z")};
    const auto body = api.get("/api/v1/partials?pattern=p&pattern=q&entity=account:J.Morrison@ne.example&limit=1").body;
    CHECK(api.chains.wanted.patterns == std::vector<std::string>{"p", "q"});
    CHECK(api.chains.wanted.entity == alice);
    CHECK(api.chains.wanted.most == 1);
    CHECK(body["found"] == 7);
    CHECK(body["complete"] == false);
    CHECK(body["watermark"] == "2026-03-05T22:30:00Z");
    const auto& item = body["items"][0];
    CHECK(item["awaited"] == "c");
    CHECK(item["missing"] == json{"c", "d"});
    CHECK(item["closeness"] == 0.5);
    CHECK(item["waits_until"] == "2026-03-06T22:00:00Z");
    CHECK(item["reached"][1] == json::parse(R"({"stage":"b","at":"2026-03-05T23:00:00Z","source":"entra_id","id":"aad-b"})"));
}

TEST_CASE("an engine that cannot be asked is unavailable") {
    World world;
    world.api.chains.failure = api::ports::Failure{api::ports::FailureCode::unavailable, "reads its log"};
    CHECK(world.api.get("/api/v1/partials").status == 503);
    CHECK(world.api.get("/api/v1/patterns/own/health").status == 503);
}

TEST_CASE("near misses are listed in pages and filtered") {
    tests::FakeApi api;
    engine::NearMissRecord miss;
    miss.pattern = "p";
    miss.entity = alice;
    miss.reached = {stage("a", "2026-03-05T22:00:00Z")};
    miss.missing = "b";
    miss.start = miss.end = tests::at("2026-03-05T22:00:00Z");
    miss.until = tests::at("2026-03-06T22:00:00Z");
    api.chains.rows = {{"3b241101-e2bb-5255-8caf-4136c566a962", miss}, {"3b241101-e2bb-5255-8caf-4136c566a963", miss}};
    const std::string list = "/api/v1/near-misses?pattern=p&missing=b&entity=account:A&mode=flighting&time_after=2026-03-01T00:00:00Z&limit=1";
    const auto first = api.get(list);
    REQUIRE(first.body["items"].size() == 1);
    CHECK(first.body["items"][0]["missing"] == json{"b"});
    CHECK(first.body["items"][0]["waited_until"] == "2026-03-06T22:00:00Z");
    CHECK(api.chains.asked.missing == std::vector<std::string>{"b"});
    CHECK(api.chains.asked.entities == std::vector<engine::EntityKey>{{"account", "a"}});
    CHECK(api.chains.asked.flighting);
    CHECK(api.chains.asked.until.first == tests::at("2026-03-01T00:00:00Z"));
    const auto second = api.get(list + "&cursor=" + first.body["next_cursor"].get<std::string>());
    CHECK(second.body["items"][0]["id"] == "3b241101-e2bb-5255-8caf-4136c566a963");
    CHECK(second.body["next_cursor"].is_null());
}

TEST_CASE("the health of a pattern: its own share of all work, and how long it has been silent") {
    World world;
    engine::PatternHealth own;
    own.pattern = "own";
    own.attempts = 5;
    own.work = 30;
    own.findings = 2;
    own.last_finding = tests::at("2026-03-05T22:00:00Z");
    engine::PatternHealth other;
    other.pattern = "other";
    other.work = 70;
    world.api.chains.tenant = {{own, other}, 4096, tests::at("2026-03-06T00:30:00Z")};
    const auto body = world.api.get("/api/v1/patterns/own/health").body;
    REQUIRE(body["running"].size() == 1);
    CHECK(body["running"][0]["work_share"] == 0.3);
    CHECK(body["running"][0]["silent_for"] == "PT2H30M");
    CHECK(body["running"][0]["attempts"] == 5);
    CHECK(body["tenant_bytes"] == 4096);
}

TEST_CASE("why not says which stage is missing") {
    World world;
    world.add("sign_in", "2026-03-05T22:00:00Z");
    world.add("rule", "2026-03-05T23:00:00Z");
    const auto body = world.why_not();
    CHECK(body["matched"] == false);
    CHECK(body["stage"] == "c");
    CHECK(body["reason"] == "no_signal");
    CHECK(body["detail"] == "stage \"c\" is missing: no signal satisfies it (name = download)");
    CHECK(body["reached"].size() == 2);
    CHECK(body["signals"] == 2);
    CHECK(body["complete"] == true);
}

TEST_CASE("why not says by how much a stage came too late") {
    World world;
    world.add("sign_in", "2026-03-05T22:00:00Z");
    world.add("rule", "2026-03-05T23:00:00Z");
    world.add("download", "2026-03-06T22:03:00Z");
    const auto body = world.why_not();
    CHECK(body["reason"] == "span_too_long");
    CHECK(body["by"] == "PT3M");
    CHECK(body["limit"] == "P1D");
    CHECK(body["closest"]["time"] == "2026-03-06T22:03:00Z");
    CHECK(body["detail"] == "stage \"c\" came too late by 3 min: first to last activity may take 1 d");
}

TEST_CASE("why not looks elsewhere for a stage that the entity does not have") {
    World world;
    world.add("sign_in", "2026-03-05T22:00:00Z");
    world.add("rule", "2026-03-05T23:00:00Z");
    world.add("download", "2026-03-05T23:30:00Z", "somebody@ne.example");
    const auto body = world.why_not();
    CHECK(body["stage"] == "c");
    CHECK(body["reason"] == "not_linked");
    CHECK(body["closest"]["id"] == "download2026-03-05T23:30:00Zsomebody@ne.example");
}

TEST_CASE("why not of an entity that administrators denied to link") {
    World world;
    world.add("sign_in", "2026-03-05T22:00:00Z");
    world.api.entities.rows = {{alice, true}};
    world.api.entities.rows[0].notes.link = engine::LinkRule::deny;
    const auto body = world.why_not();
    CHECK(body["stage"] == "a");
    CHECK(body["reason"] == "hub");
}

TEST_CASE("why not of what did match names the finding") {
    World world;
    auto finding = tests::finding_of_two();
    finding.pattern = "own";
    world.api.findings.rows = {{finding, {}}};
    auto body = world.why_not();
    CHECK(body["matched"] == true);
    CHECK(body["findings"] == json{"3b241101-e2bb-5255-8caf-4136c566a962"});
    CHECK(body["stage"].is_null());
    CHECK(world.api.findings.asked.patterns == std::vector<std::string>{"own"});

    world.api.findings.rows.clear();  // or the signals make it, and there is no finding
    world.add("sign_in", "2026-03-05T22:00:00Z");
    world.add("rule", "2026-03-05T23:00:00Z");
    world.add("download", "2026-03-05T23:30:00Z");
    REQUIRE(world.api.put("/api/v1/patterns/own/deployment", {{"mode", "off"}}).status == 200);
    body = world.why_not();
    CHECK(body["matched"] == true);
    CHECK(body["findings"].empty());
    CHECK(body["detail"] == "the signals make the pattern, but it is off");
}
