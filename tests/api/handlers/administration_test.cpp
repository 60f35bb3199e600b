#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using nlohmann::json;

TEST_CASE("a watermark call is written as asked") {
    tests::FakeApi api;
    const auto reply = api.post("/api/v1/watermark", {{"time", "2026-03-07T01:00:00+01:00"}, {"hold", true}});
    REQUIRE(reply.status == 200);
    CHECK(reply.body == json::parse(R"({"time": "2026-03-07T00:00:00Z", "hold": true, "position": 41})"));
    REQUIRE(api.control.watermarks.size() == 1);
    CHECK(api.control.watermarks[0].time == tests::at("2026-03-07T00:00:00Z"));
    CHECK(api.control.watermarks[0].hold);
    CHECK(api.post("/api/v1/watermark", {{"time", "2026-03-07T00:00:00Z"}}).body["hold"] == false);
}

TEST_CASE("a bad watermark call is refused with every fault") {
    tests::FakeApi api;
    CHECK(api.post("/api/v1/watermark", json::object()).pointers() == std::vector<std::string>{"/time"});
    CHECK(api.post("/api/v1/watermark", {{"time", "now"}, {"hold", "yes"}, {"until", 1}}).pointers() == std::vector<std::string>{"/until", "/time", "/hold"});
    CHECK(api.post("/api/v1/watermark", {{"time", 1}}).status == 422);
    CHECK(api.control.watermarks.empty());
}

TEST_CASE("diagnostics tell how far the signals have come") {
    tests::FakeApi api;
    auto& report = api.diagnostics.answer;
    report.lag_signals = 3;
    report.lag_seconds = 0.5;
    report.watermark = tests::at("2026-03-05T22:00:00Z");
    report.lateness_seconds = 3600;
    report.sources = {{"entra_id", "identity", 2, tests::at("2026-03-05T23:00:00Z"), tests::at("2026-03-05T23:00:01Z")},
                      {"exchange", "email", 1, {}, {}},
                      {"okta", "identity", 4, {}, {}}};
    report.late = 7;
    report.caps = {{"entities_of_one_kind", 2}};
    report.leader = "leading";
    const auto body = api.get("/api/v1/diagnostics").body;
    CHECK(body["lag"] == json::parse(R"({"signals": 3, "seconds": 0.5})"));
    CHECK(body["watermark"] == "2026-03-05T22:00:00Z");
    CHECK(body["newest_event"].is_null());
    CHECK(body["domains"] == json{"email", "identity"});
    CHECK(body["sources"][1]["last_event"].is_null());
    CHECK(body["counts"]["late"] == 7);
    CHECK(body["caps"][0]["cap"] == "entities_of_one_kind");
}

TEST_CASE("tenants are made and listed by the operator only") {
    tests::FakeApi api;
    const auto made = api.post("/api/v1/tenants", {{"name", "acme"}});
    CHECK(made.status == 201);
    CHECK(made.body == json::parse(R"({"name": "acme", "key": "cat_new_secret"})"));
    CHECK(api.get("/api/v1/tenants").body["items"][0]["name"] == "acme");
    CHECK(api.post("/api/v1/tenants", {{"name", "acme"}}).status == 409);
    CHECK(api.post("/api/v1/tenants", {{"name", ""}, {"size", 3}}).pointers() == std::vector<std::string>{"/size", "/name"});
    api.caller.operator_tenant = false;
    CHECK(api.post("/api/v1/tenants", {{"name", "other"}}).status == 403);
    CHECK(api.get("/api/v1/tenants").status == 403);
    CHECK(api.tenants.tenants.size() == 1);
}

TEST_CASE("a key is made with its scopes, shown once, and taken back") {
    tests::FakeApi api;
    const auto made = api.post("/api/v1/keys", {{"scopes", {"signals:write", "signals:read"}}, {"sources", {"entra_id"}}, {"expires", "2027-01-01T00:00:00Z"}});
    REQUIRE(made.status == 201);
    CHECK(made.body["key"] == "cat_k1_secret");
    CHECK(made.body["scopes"] == json{"signals:write", "signals:read"});
    CHECK(made.headers.at("Location") == "/api/v1/keys/k1");
    const auto listed = api.get("/api/v1/keys").body["items"][0];
    CHECK_FALSE(listed.contains("key"));
    CHECK(listed["sources"] == json{"entra_id"});
    CHECK(listed["expires"] == "2027-01-01T00:00:00Z");
    CHECK(listed["last_used"].is_null());
    CHECK(api.remove("/api/v1/keys/k1").status == 204);
    CHECK(api.remove("/api/v1/keys/k1").status == 404);
    CHECK(api.remove("/api/v1/keys/k0").status == 409);  // the one that asks
}

TEST_CASE("a bad key is refused with every fault") {
    tests::FakeApi api;
    CHECK(api.post("/api/v1/keys", json::object()).pointers() == std::vector<std::string>{"/scopes"});
    CHECK(api.post("/api/v1/keys", {{"scopes", {"signals:write", "everything"}}, {"sources", "x"}, {"expires", "soon"}, {"name", "n"}}).pointers() ==
          std::vector<std::string>{"/name", "/scopes/1", "/sources", "/expires"});
    CHECK(api.tenants.rows.empty());
}

TEST_CASE("a key is rotated with overlap") {
    tests::FakeApi api;
    REQUIRE(api.post("/api/v1/keys", {{"scopes", {"signals:write"}}, {"sources", {"edr"}}}).status == 201);
    const auto rotated = api.post("/api/v1/keys/k1/rotate", {{"overlap", "2h"}, {"expires", "2027-01-01T00:00:00Z"}});
    REQUIRE(rotated.status == 201);
    CHECK(rotated.body["id"] == "k2");
    CHECK(rotated.body["key"] == "cat_k2_secret");
    CHECK(rotated.body["sources"] == json{"edr"});
    CHECK(rotated.body["expires"] == "2027-01-01T00:00:00Z");
    CHECK(rotated.body["replaces"] == json::parse(R"({"id": "k1", "expires": "2026-03-06T10:00:00Z"})"));
    CHECK(rotated.headers.at("Location") == "/api/v1/keys/k2");
    CHECK(api.post("/api/v1/keys/k1/rotate", json::object()).status == 201);
    CHECK(api.tenants.rotation.overlap == std::chrono::hours{24});
    CHECK(api.post("/api/v1/keys/k1/rotate", {{"overlap", "0s"}}).status == 201);
    CHECK(api.tenants.rotation.overlap.count() == 0);
    CHECK(api.post("/api/v1/keys/none/rotate", json::object()).status == 404);
}

TEST_CASE("a bad rotation is refused with every fault") {
    tests::FakeApi api;
    CHECK(api.post("/api/v1/keys/k1/rotate", {{"overlap", "31d"}, {"expires", 5}, {"scopes", {"admin"}}}).pointers() ==
          std::vector<std::string>{"/scopes", "/overlap", "/expires"});
    for (const auto& overlap : {json("soon"), json("-1h"), json(""), json(3600)}) {
        CAPTURE(overlap.dump());
        CHECK(api.post("/api/v1/keys/k1/rotate", {{"overlap", overlap}}).pointers() == std::vector<std::string>{"/overlap"});
    }
}

TEST_CASE("the audit is listed with its filters") {
    tests::FakeApi api;
    api.tenants.changes = {{tests::at("2026-03-06T08:00:00Z"), "k1", "pattern", "guessed-password", R"({"id":"guessed-password"})"},
                           {tests::at("2026-03-05T08:00:00Z"), "server", "key_added", "k1", "{}"}};
    const auto page = api.get("/api/v1/audit?limit=1&actor=k1&actor=k2&action=pattern&target=t&time_after=2026-03-01T00:00:00Z");
    REQUIRE(page.status == 200);
    CHECK(page.body["items"][0] == json::parse(R"({"time": "2026-03-06T08:00:00Z", "actor": "k1", "action": "pattern", "target": "guessed-password",
                                                  "detail": {"id": "guessed-password"}})"));
    CHECK(page.body["next_cursor"].is_string());
    CHECK(api.tenants.asked.actors == std::vector<std::string>{"k1", "k2"});
    CHECK(api.tenants.asked.actions == std::vector<std::string>{"pattern"});
    CHECK(api.tenants.asked.targets == std::vector<std::string>{"t"});
    CHECK(api.tenants.asked.time.first == tests::at("2026-03-01T00:00:00Z"));
    CHECK(api.get("/api/v1/audit?who=k1").pointers() == std::vector<std::string>{"/who"});
}
