#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace catenary;
using nlohmann::json;
using tests::FakeApi;

namespace {

constexpr const char* path = "/api/v1/patterns/import?format=sigma";
constexpr const char* yaml = "application/yaml";

constexpr const char* two_rules = R"(title: Failed logon
name: failed_logon
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4625}, condition: selection}
---
title: Guessing
name: guessing
tags: [attack.t1110]
correlation: {type: event_count, rules: [failed_logon], group-by: [TargetUserName, Computer], timespan: 10m, condition: {gte: 20}}
---
title: Service after reconnaissance
name: service-after-recon
correlation: {type: temporal_ordered, rules: [recon, new_service], group-by: [Computer], timespan: 1h}
)";

}  // namespace

TEST_CASE("rules are imported as patterns that are read, replaced and exported like others") {
    FakeApi api;
    const auto shown = api.post(std::string{path} + "&dry_run=true", two_rules, yaml);
    CHECK(shown.status == 200);
    CHECK(shown.body["items"][0]["status"] == "valid");
    CHECK(api.patterns.stored.empty());

    const auto reply = api.post(path, two_rules, yaml);
    CHECK(reply.status == 200);
    CHECK(reply.body["imported"] == 2);
    CHECK(reply.body["refused"] == 0);
    CHECK(reply.body["items"][0]["rule"] == "guessing");
    CHECK(reply.body["items"][0]["status"] == "created");
    CHECK(reply.body["items"][0]["not_carried_over"][0]["pointer"] == "/1/correlation/group-by/1");
    CHECK(reply.body["signals"] == json::parse(R"([{"rule":"failed_logon","name":"failed_logon","defined":true},
        {"rule":"new_service","name":"new_service","defined":false},{"rule":"recon","name":"recon","defined":false}])"));
    CHECK(api.get("/api/v1/patterns/guessing").body["document"]["stages"][0]["repeat"]["at_least"] == 20);

    const auto exported = api.get("/api/v1/patterns/export?format=sigma&id=guessing&id=service-after-recon");
    CHECK(exported.status == 200);
    CHECK(exported.text.find("type: temporal_ordered") != std::string::npos);
    for (const auto* id : {"guessing", "service-after-recon"}) CHECK(api.remove(std::string{"/api/v1/patterns/"} + id).status == 204);
    CHECK(api.post(path, exported.text, yaml).body["imported"] == 2);
}

TEST_CASE("each rule is stored or refused by itself; when none is stored the reply is a problem") {
    FakeApi api;
    CHECK(api.post(path, two_rules, yaml).status == 200);
    const auto again =
        api.post(path, std::string{two_rules} + "---\ntitle: More\ncorrelation: {type: temporal, rules: [a, b], group-by: user, timespan: 1h}\n", yaml);
    CHECK(again.status == 207);
    CHECK(again.body["imported"] == 1);
    CHECK(again.body["items"][0]["status"] == "refused");
    CHECK(again.body["items"][0]["errors"][0]["code"] == "conflict");
    CHECK(again.body["items"][2]["document"]["id"] == "more");
    const auto reserved = api.post(path, "title: Export\ncorrelation: {type: temporal, rules: [a, b], group-by: user, timespan: 1h}\n", yaml);
    CHECK(reserved.status == 422);
    CHECK_FALSE(api.patterns.stored.contains("export"));
    const auto none = api.post(path, two_rules, yaml);
    CHECK(none.status == 422);
    CHECK(none.pointers() == std::vector<std::string>{"/1", "/2"});
}

TEST_CASE("one rule as JSON has pointers of its own, and what ships is not imported over") {
    FakeApi api;
    json rule{{"title", "Guessing"},
              {"name", "mfa-fatigue"},
              {"correlation", {{"type", "event_count"}, {"rules", {"x"}}, {"group-by", {"user"}}, {"timespan", "1h"}, {"condition", {{"gte", 2}}}}}};
    CHECK(api.post(path, rule).pointers() == std::vector<std::string>{""});
    rule["name"] = "mine";
    rule["correlation"]["condition"] = {{"lt", 2}};
    CHECK(api.post(path, rule).pointers() == std::vector<std::string>{"/correlation/condition/lt"});
    rule["correlation"]["condition"] = {{"gte", 2}};
    CHECK(api.post(path, json::array({rule})).status == 200);
}

TEST_CASE("all that can be said in Sigma is exported at once, and a comment names the rest") {
    FakeApi api;
    const auto all = api.get("/api/v1/patterns/export");
    CHECK(all.status == 200);
    CHECK(all.text.starts_with("# left out"));
    CHECK(all.text.find("# golden-saml: /link/chain ") != std::string::npos);
    CHECK(all.text.find("name: password-spray\n") != std::string::npos);
    const auto refused = api.get("/api/v1/patterns/export?id=golden-saml&id=password-spray");
    CHECK(refused.status == 422);
    CHECK(refused.pointers().front() == "/link/chain");
    CHECK(api.get("/api/v1/patterns/export?id=none").status == 404);
}
