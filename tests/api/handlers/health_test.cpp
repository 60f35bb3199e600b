#include "tests/support/fake_api.hpp"
#include "tests/support/schema_check.hpp"

#include <doctest/doctest.h>

using namespace catenary;

TEST_CASE("health, version and contract answer without a key") {
    tests::FakeApi api;
    CHECK(api.get("/healthz").body["status"] == "alive");
    CHECK(api.get("/readyz").body["status"] == "ready");
    CHECK(api.get("/version").body["name"] == "catenary");
    CHECK(api.get("/openapi.json").body == tests::contract());
}

TEST_CASE("not ready is 503 and says what is missing") {
    tests::FakeApi api;
    api.diagnostics.missing = "the database does not answer";
    const auto reply = api.get("/readyz");
    CHECK(reply.status == 503);
    CHECK(reply.body["detail"] == "the database does not answer");
    CHECK(reply.headers.contains("Retry-After"));
}

TEST_CASE("no resource ignores a query parameter") {
    tests::FakeApi api;
    api.incidents.records.emplace(17, tests::incident_of_two(17));
    for (const auto* path :
         {"/healthz", "/readyz", "/version", "/openapi.json", "/api/v1/signals", "/api/v1/incidents", "/api/v1/incidents/17", "/api/v1/incidents/17/timeline",
          "/api/v1/incidents/17/evidence", "/api/v1/incidents/17/explanation", "/api/v1/incidents/17/activity", "/api/v1/findings", "/api/v1/findings/x",
          "/api/v1/patterns", "/api/v1/patterns/x", "/api/v1/diagnostics", "/api/v1/tenants", "/api/v1/keys"}) {
        const auto reply = api.get(std::string{path} + "?colour=red");
        CHECK(reply.status == 400);
        CHECK(reply.pointers() == std::vector<std::string>{"/colour"});
    }
    for (const auto* path : {"/api/v1/patterns", "/api/v1/patterns:validate", "/api/v1/watermark", "/api/v1/tenants", "/api/v1/keys"}) {
        CHECK(api.post(std::string{path} + "?colour=red", nlohmann::json::object()).status == 400);
    }
    CHECK(api.patch("/api/v1/incidents/17?colour=red", {{"owner", "mika"}}).status == 400);
    CHECK(api.remove("/api/v1/keys/k1?colour=red").status == 400);
}
