#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

using catenary::server::ApiClient;
using catenary::tests::ServerProcess;
using catenary::tests::wait_until_correlated;
using Json = nlohmann::json;

namespace {

Json signal(const std::string& id, const std::string& time, const std::string& name, const std::string& domain, const std::string& account,
            double confidence = 0.35) {
    return {{"id", id},
            {"source", domain + "_sensor"},
            {"time", time},
            {"domain", domain},
            {"name", name},
            {"tactics", {domain == "identity" ? "TA0001" : "TA0003"}},
            {"severity", "medium"},
            {"confidence", confidence},
            {"entities", {{{"kind", "account"}, {"value", account}, {"role", "actor"}}}}};
}

Json two_stages(const std::string& id) {
    return {{"id", id},
            {"title", "Foreign sign-in, then a forwarding rule"},
            {"severity", "high"},
            {"within", "24h"},
            {"link", {{"same", {"account"}}}},
            {"stages",
             {{{"id", "access"}, {"match", {{"domain", "identity"}, {"name", "test_foreign_sign_in"}}}},
              {{"id", "persistence"}, {"match", {{"name", "test_forwarding_rule"}}}}}}};
}

Json get(ApiClient& client, const std::string& path) {
    const auto reply = client.get(path);
    CAPTURE(path);
    CAPTURE(reply.body);
    REQUIRE(reply.status == 200);
    return Json::parse(reply.body);
}

/// Posts a pattern and the two signals that satisfy it; returns the one incident.
Json one_incident(ApiClient& client, const std::string& account) {
    const auto pattern = client.post("/api/v1/patterns", two_stages("foreign-sign-in-then-rule").dump());
    CAPTURE(pattern.body);
    REQUIRE(pattern.status == 201);
    const Json batch{signal("s-1", "2026-03-05T22:47:11Z", "test_foreign_sign_in", "identity", account),
                     signal("s-2", "2026-03-05T23:10:00Z", "test_forwarding_rule", "email", account)};
    const auto posted = client.post("/api/v1/signals", batch.dump());
    CAPTURE(posted.body);
    REQUIRE(posted.status == 200);
    CHECK(Json::parse(posted.body)["accepted"] == 2);
    wait_until_correlated(client);
    const auto page = get(client, "/api/v1/incidents?sort=-score");
    REQUIRE(page["items"].size() == 1);
    return page["items"][0];
}

}  // namespace

TEST_CASE("signals posted over HTTP become one explained incident, seen by its tenant only, and survive a crash") {
    ServerProcess server;
    server.start();
    auto acme = server.tenant("acme");
    auto other = server.tenant("other");

    const auto incident = one_incident(acme, "J.Morrison@ne.example");
    const auto number = incident["number"].get<std::int64_t>();
    CHECK(incident["severity"] == "high");
    CHECK(incident["status"] == "new");
    CHECK(incident["signal_count"] == 2);
    CHECK(incident["score"].get<double>() == doctest::Approx(0.983).epsilon(0.001));
    CHECK(incident["entities"][0]["value"] == "j.morrison@ne.example");
    CHECK(incident["patterns"] == Json{"foreign-sign-in-then-rule"});

    const auto path = fmt::format("/api/v1/incidents/{}", number);
    const auto evidence = get(acme, path + "/evidence");
    REQUIRE(evidence["items"].size() == 2);
    CHECK(evidence["items"][0]["id"] == "s-1");
    CHECK(evidence["items"][0]["stage"] == "access");
    CHECK(evidence["items"][1]["id"] == "s-2");

    const auto explanation = get(acme, path + "/explanation");
    const auto& score = explanation["findings"][0]["score"];
    double sum = 0;
    for (const auto& [name, value] : score.items()) {
        if (name.ends_with("_bits") && name != "total_bits") sum += value.get<double>();
    }
    for (const auto& part : score["contributions"]) sum += part["bits"].get<double>();
    CHECK(sum == doctest::Approx(score["total_bits"].get<double>()));
    CHECK(1 / (1 + std::exp2(-sum)) == doctest::Approx(score["probability"].get<double>()));
    CHECK(get(acme, path + "/timeline")["items"].size() >= 2);
    CHECK(get(acme, "/api/v1/findings")["items"].size() == 1);

    SUBCASE("nothing of it is visible to another tenant") {
        CHECK(get(other, "/api/v1/incidents")["items"].empty());
        CHECK(get(other, "/api/v1/signals")["items"].empty());
        CHECK(get(other, "/api/v1/findings")["items"].empty());
        CHECK(other.get(path).status == 404);
        CHECK(other.get(path + "/evidence").status == 404);
        CHECK(other.get("/api/v1/patterns/foreign-sign-in-then-rule").status == 404);
    }
    SUBCASE("a repeat is a duplicate, other content a conflict, a bad item is refused alone") {
        auto changed = signal("s-1", "2026-03-05T22:47:11Z", "test_foreign_sign_in", "identity", "j.morrison@ne.example", 0.9);
        auto bad = signal("s-3", "2026-03-05T22:47:11Z", "x", "identity", "a@b.example");
        bad["confidence"] = 1.5;
        const Json batch{signal("s-2", "2026-03-05T23:10:00Z", "test_forwarding_rule", "email", "j.morrison@ne.example"), changed, bad,
                         signal("s-4", "2026-03-05T23:11:00Z", "unrelated", "email", "j.morrison@ne.example")};
        const auto reply = acme.post("/api/v1/signals", batch.dump());
        CAPTURE(reply.body);
        CHECK(reply.status == 207);
        const auto answer = Json::parse(reply.body);
        CHECK(answer["accepted"] == 1);
        CHECK(answer["conflicts"] == 1);
        CHECK(answer["rejected"] == 1);
        CHECK(answer["duplicates"] == 1);
        REQUIRE(answer["items"].size() == 2);
        CHECK(answer["items"][0]["status"] == "conflict");
        CHECK(answer["items"][1]["errors"][0]["pointer"] == "/confidence");
        wait_until_correlated(acme);
        CHECK(get(acme, path)["signal_count"] == 2);
    }
    SUBCASE("an analyst takes it, closes it, and the change has its history") {
        const auto reply = acme.get(path);
        const auto closed =
            acme.send({.method = "PATCH",
                       .path = path,
                       .body = R"({"status":"closed","classification":"true_positive","classification_reason":"confirmed by the user","owner":"mika"})",
                       .headers = {"If-Match: " + reply.etag}});
        CAPTURE(closed.body);
        REQUIRE(closed.status == 200);
        CHECK(Json::parse(closed.body)["status"] == "closed");
        const auto stale = acme.send({.method = "PATCH", .path = path, .body = R"({"owner":"else"})", .headers = {"If-Match: " + reply.etag}});
        CHECK(stale.status == 412);
        const auto activity = get(acme, path + "/activity").dump();
        CHECK(activity.find("created") != std::string::npos);
        CHECK(activity.find("mika") != std::string::npos);
    }
    SUBCASE("kill -9 and a restart change nothing") {
        const auto before = get(acme, path);
        server.crash();
        server.start();
        wait_until_correlated(acme);
        CHECK(get(acme, path) == before);
        const auto more =
            acme.post("/api/v1/signals", Json{signal("s-9", "2026-03-05T23:30:00Z", "test_forwarding_rule", "email", "j.morrison@ne.example")}.dump());
        CAPTURE(more.body);
        CHECK(more.status == 200);
        wait_until_correlated(acme);
        const auto after = get(acme, path);
        CHECK(after["signal_count"] == 3);
        CHECK(after["number"] == number);
    }
    CHECK(server.stop() == 0);
}

TEST_CASE("a pattern posted after its signals finds them") {
    ServerProcess server;
    server.start();
    auto client = server.tenant("late-pattern");
    const Json batch{signal("p-1", "2026-03-05T10:00:00Z", "test_foreign_sign_in", "identity", "a@b.example"),
                     signal("p-2", "2026-03-05T11:00:00Z", "test_forwarding_rule", "email", "a@b.example")};
    REQUIRE(client.post("/api/v1/signals", batch.dump()).status == 200);
    wait_until_correlated(client);
    CHECK(get(client, "/api/v1/incidents")["items"].empty());
    REQUIRE(client.post("/api/v1/patterns", two_stages("posted-later").dump()).status == 201);
    wait_until_correlated(client);
    CHECK(get(client, "/api/v1/incidents")["items"].size() == 1);
    CHECK(server.stop() == 0);
}
