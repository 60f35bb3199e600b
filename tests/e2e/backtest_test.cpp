#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <thread>

using catenary::server::ApiClient;
using catenary::server::ApiReply;
using catenary::tests::ServerProcess;
using catenary::tests::wait_until_correlated;
using Json = nlohmann::json;
using namespace std::chrono_literals;

namespace {

constexpr const char* path = "/api/v1/patterns/key-then-deletion";

Json document(const std::string& within) {
    return {{"id", "key-then-deletion"},
            {"title", "Keys listed, then deletion"},
            {"within", within},
            {"link", {{"same", {"account"}}}},
            {"stages", {{{"id", "keys"}, {"match", {{"name", "test_keys"}}}}, {{"id", "deletion"}, {"match", {{"name", "test_deletion"}}}}}}};
}

Json signal(const std::string& account, const std::string& time, const std::string& name) {
    return {{"id", account + time},
            {"source", "cloud"},
            {"time", "2026-03-05T" + time + "Z"},
            {"domain", "cloud_infra"},
            {"name", name},
            {"confidence", 0.3},
            {"entities", {{{"kind", "account"}, {"value", account}}}}};
}

Json read(const ApiReply& reply, int status = 200) {
    CAPTURE(reply.body);
    REQUIRE(reply.status == status);
    return Json::parse(reply.body);
}

Json send(ApiClient& client, const std::string& method, const std::string& to, const Json& body = {}) {
    return read(client.send(
        {.method = method, .path = to, .body = body.is_null() ? "" : body.dump(), .content_type = body.is_null() ? "" : "application/json", .headers = {}}));
}

/// The path of a new job over the day of the signals.
std::string backtest(ApiClient& client, const Json& more) {
    Json body{{"from", "2026-03-05T00:00:00Z"}, {"to", "2026-03-06T00:00:00Z"}};
    body.update(more);
    return "/api/v1/jobs/" + read(client.post(std::string{path} + "/backtest", body.dump()), 202)["id"].get<std::string>();
}

Json ended(ApiClient& client, const std::string& job) {
    const auto give_up = std::chrono::steady_clock::now() + 90s;
    while (std::chrono::steady_clock::now() < give_up) {
        auto now = read(client.get(job));
        if (now.contains("ended")) return now;
        std::this_thread::sleep_for(50ms);
    }
    FAIL("the job did not end");
    return {};
}

std::size_t findings(ApiClient& client, const std::string& mode) { return read(client.get("/api/v1/findings?mode=" + mode))["items"].size(); }

}  // namespace

TEST_CASE("a pattern is backtested before it is posted, put on trial beside the one in production, promoted and taken back") {
    ServerProcess server;
    server.start();
    auto client = server.tenant("engineers");
    read(client.post("/api/v1/signals", Json{signal("alice", "10:00:00", "test_keys"), signal("alice", "10:20:00", "test_deletion"),
                                             signal("bob", "11:00:00", "test_keys"), signal("bob", "13:00:00", "test_deletion")}
                                            .dump()));
    wait_until_correlated(client);

    // before it is posted
    auto result = ended(client, backtest(client, {{"document", document("24h")}}))["result"];
    CHECK(result["findings_total"] == 2);
    CHECK(result["signals"] == 4);
    CHECK(result["findings"][0]["evidence"].size() == 2);
    CHECK(result["comparison"]["only_backtest"] == 2);
    CHECK(read(client.get("/api/v1/findings"))["items"].empty());

    // a narrower one, compared with what is in production
    read(client.post("/api/v1/patterns", document("24h").dump()), 201);
    wait_until_correlated(client);
    CHECK(findings(client, "production") == 2);
    result = ended(client, backtest(client, {{"document", document("30m")}}))["result"];
    CHECK(result["comparison"]["both"] == 1);
    CHECK(result["comparison"]["only_production"] == 1);
    result = ended(client, backtest(client, {{"version", 1}}))["result"];
    CHECK(result["comparison"]["both"] == 2);
    CHECK(result["comparison"]["pairs"][0]["backtest"] == result["comparison"]["pairs"][0]["production"]);

    // on trial, between two stages of a chain in flight
    read(client.post("/api/v1/signals", signal("carol", "14:00:00", "test_keys").dump()), 201);
    auto tried = document("30m");
    tried["mode"] = "flighting";
    const auto second = send(client, "PUT", path, tried);
    CHECK(second["production_version"] == 1);
    CHECK(second["flighting_version"] == 2);
    read(client.post("/api/v1/signals", signal("carol", "14:20:00", "test_deletion").dump()), 201);
    wait_until_correlated(client);
    CHECK(findings(client, "production") == 3);
    const auto on_trial = findings(client, "flighting");
    CHECK(on_trial >= 1);
    const auto incidents = read(client.get("/api/v1/incidents"))["items"].size();
    CHECK(incidents == 3);

    // promoted between two stages, and taken back
    read(client.post("/api/v1/signals", signal("dora", "15:00:00", "test_keys").dump()), 201);
    CHECK(send(client, "PUT", std::string{path} + "/deployment", {{"mode", "production"}})["production_version"] == 2);
    read(client.post("/api/v1/signals", signal("dora", "15:10:00", "test_deletion").dump()), 201);
    wait_until_correlated(client);
    CHECK(findings(client, "flighting") == 0);
    CHECK(read(client.get("/api/v1/findings?entity=account:dora"))["items"][0]["version"] == 2);
    CHECK(send(client, "PUT", std::string{path} + "/deployment", {{"mode", "production"}, {"version", 1}})["production_version"] == 1);
    wait_until_correlated(client);
    CHECK(read(client.get("/api/v1/findings?entity=account:dora"))["items"][0]["version"] == 1);
    CHECK(read(client.get("/api/v1/audit?action=pattern"))["items"].size() == 4);
    CHECK(server.stop() == 0);
}

TEST_CASE("jobs outlive the server that took them, and one that is cancelled stays so") {
    ServerProcess server;
    server.start();
    auto client = server.tenant("engineers");
    read(client.post("/api/v1/signals", Json{signal("alice", "10:00:00", "test_keys"), signal("alice", "10:20:00", "test_deletion")}.dump()));
    std::vector<std::string> jobs;
    for (int i = 0; i < 8; ++i) jobs.push_back(backtest(client, {{"document", document("24h")}}));
    CHECK(send(client, "DELETE", jobs.back())["state"] == "cancelled");
    server.crash();
    server.start();
    for (const auto& job : jobs) CHECK(ended(client, job)["state"] == (job == jobs.back() ? "cancelled" : "done"));
    CHECK(read(client.get("/api/v1/jobs"))["items"].size() == 8);
    CHECK(client.send({.method = "DELETE", .path = jobs.front(), .body = {}, .content_type = {}, .headers = {}}).status == 409);
    CHECK(server.stop() == 0);
}
