#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

using catenary::server::ApiClient;
using catenary::server::ApiReply;
using catenary::tests::ServerProcess;
using catenary::tests::wait_until_correlated;
using Json = nlohmann::json;

namespace {

constexpr const char* document = R"(id: copy-pack-send
title: Copied, packed, sent
within: 24h
link: {same: [account]}
stages:
  - {id: copied, match: {name: test_copied}}
  - {id: packed, match: {name: test_packed}}
  - {id: sent, match: {name: test_sent}, within: 4h}
)";
constexpr const char* pattern = "/api/v1/patterns/copy-pack-send";

Json read(const ApiReply& reply, int status = 200) {
    CAPTURE(reply.body);
    REQUIRE(reply.status == status);
    return Json::parse(reply.body);
}

void post(ApiClient& client, const std::string& name, const std::string& time, const std::string& account) {
    const Json signal{{"id", name + account + time},
                      {"source", "endpoint"},
                      {"time", time},
                      {"domain", "endpoint"},
                      {"name", name},
                      {"confidence", 0.3},
                      {"entities", {{{"kind", "account"}, {"value", account}}}}};
    read(client.post("/api/v1/signals", signal.dump()), 201);
}

Json why_not(ApiClient& client, const std::string& account, const std::string& to = "2026-03-07T00:00:00Z") {
    const Json question{{"entity", "account:" + account}, {"from", "2026-03-05T00:00:00Z"}, {"to", to}};
    return read(client.post(std::string{pattern} + "/why-not", question.dump()));
}

}  // namespace

TEST_CASE("a chain is part-way, becomes a near miss, and is explained") {
    ServerProcess server;
    server.start();
    auto client = server.tenant("near-misses");
    auto other = server.tenant("somebody-else");
    read(client.post("/api/v1/patterns", document, "application/yaml"), 201);
    CHECK(read(client.get("/api/v1/partials"))["items"].empty());

    // part-way
    post(client, "test_copied", "2026-03-05T10:00:00Z", "alice");
    post(client, "test_packed", "2026-03-05T11:00:00Z", "alice");
    post(client, "test_copied", "2026-03-05T11:30:00Z", "bob");
    wait_until_correlated(client);
    auto partials = read(client.get("/api/v1/partials?pattern=copy-pack-send"));
    REQUIRE(partials["items"].size() == 2);
    CHECK(partials["complete"] == true);
    const auto chain = partials["items"][0];
    CHECK(chain["entity"] == Json{{"kind", "account"}, {"value", "alice"}});
    CHECK(chain["reached"].size() == 2);
    CHECK(chain["reached"][1]["stage"] == "packed");
    CHECK(chain["reached"][1]["at"] == "2026-03-05T11:00:00Z");
    CHECK(chain["awaited"] == "sent");
    CHECK(chain["waits_until"] == "2026-03-05T15:00:00Z");  // 4 h after it was packed
    CHECK(partials["items"][1]["entity"]["value"] == "bob");
    CHECK(read(client.get("/api/v1/partials?entity=account:bob"))["items"].size() == 1);
    CHECK(read(client.get("/api/v1/near-misses"))["items"].empty());
    CHECK(why_not(client, "alice")["detail"] == "stage \"sent\" is missing: no signal satisfies it (name = test_sent)");

    // it comes three minutes too late
    post(client, "test_sent", "2026-03-05T15:03:00Z", "alice");
    wait_until_correlated(client);
    auto answer = why_not(client, "alice");
    CHECK(answer["matched"] == false);
    CHECK(answer["stage"] == "sent");
    CHECK(answer["reason"] == "gap_too_long");
    CHECK(answer["by"] == "PT3M");
    CHECK(answer["detail"] == "stage \"sent\" came too late by 3 min: at most 4 h may pass since the stage before it");

    // time passes
    post(client, "test_other", "2026-03-06T20:00:00Z", "carol");
    wait_until_correlated(client);
    CHECK(read(client.get("/api/v1/partials"))["items"].empty());
    const auto misses = read(client.get("/api/v1/near-misses?pattern=copy-pack-send&entity=account:alice&missing=sent"));
    REQUIRE(misses["items"].size() == 1);
    CHECK(misses["items"][0]["missing"] == Json{"sent"});
    CHECK(misses["items"][0]["start"] == "2026-03-05T10:00:00Z");
    CHECK(misses["items"][0]["reached"].size() == 2);
    CHECK(read(client.get("/api/v1/near-misses"))["items"].size() == 1);  // bob had one stage of three

    // another one in time
    post(client, "test_copied", "2026-03-06T10:00:00Z", "dora");
    post(client, "test_packed", "2026-03-06T11:00:00Z", "dora");
    post(client, "test_sent", "2026-03-06T12:00:00Z", "dora");
    wait_until_correlated(client);
    answer = why_not(client, "dora");
    CHECK(answer["matched"] == true);
    REQUIRE(answer["findings"].size() == 1);
    CHECK(read(client.get("/api/v1/findings/" + answer["findings"][0].get<std::string>()))["pattern"] == "copy-pack-send");

    // what the pattern has been doing
    const auto health = read(client.get(std::string{pattern} + "/health"));
    REQUIRE(health["running"].size() == 1);
    CHECK(health["running"][0]["findings"] == 1);
    CHECK(health["running"][0]["near_misses"] == 1);
    CHECK(health["running"][0]["last_finding"] == "2026-03-06T12:00:00Z");
    CHECK(health["running"][0]["silent_for"] == "PT8H");
    CHECK(health["running"][0]["bytes"].get<int>() > 0);

    // nobody else sees any of it, and it outlives a restart
    CHECK(read(other.get("/api/v1/near-misses"))["items"].empty());
    CHECK(read(other.get("/api/v1/partials"))["items"].empty());
    CHECK(other.get(std::string{pattern} + "/health").status == 404);
    REQUIRE(server.stop() == 0);
    server.start();
    CHECK(read(client.get("/api/v1/near-misses")) == read(client.get("/api/v1/near-misses?pattern=copy-pack-send")));
    CHECK(read(client.get("/api/v1/near-misses"))["items"] == misses["items"]);
    CHECK(read(client.get(std::string{pattern} + "/health"))["running"][0]["near_misses"] == 1);
}
