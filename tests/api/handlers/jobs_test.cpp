#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using api::ports::FailureCode;
using api::ports::JobState;
using nlohmann::json;

namespace {

constexpr const char* path = "/api/v1/patterns/own/backtest";

json own_pattern() {
    return json::parse(R"({"id": "own", "title": "Own", "within": "24h", "link": {"same": ["account"]},
        "stages": [{"id": "a", "match": {"name": "x"}}, {"id": "b", "match": {"name": "y"}}]})");
}

json march() { return {{"from", "2026-03-01T00:00:00Z"}, {"to", "2026-03-31T00:00:00Z"}}; }

json march_with(const json& more) {
    auto body = march();
    body.update(more);
    return body;
}

struct Posted : tests::FakeApi {
    Posted() { REQUIRE(post("/api/v1/patterns", own_pattern()).status == 201); }
};

}  // namespace

TEST_CASE("a backtest is of the newest version unless another is named, and is answered by a job") {
    Posted api;
    auto second = own_pattern();
    second["title"] = "Own, again";
    REQUIRE(api.put("/api/v1/patterns/own", second).status == 200);
    const auto reply = api.post(path, march());
    REQUIRE(reply.status == 202);
    CHECK(reply.body["state"] == "queued");
    CHECK(reply.body["pattern"] == "own");
    CHECK(reply.body["version"] == 2);
    CHECK(reply.body["inline"] == false);
    CHECK(reply.body["progress"]["percent"].is_null());
    CHECK(reply.headers.at("Location") == "/api/v1/jobs/" + reply.body["id"].get<std::string>());
    REQUIRE(api.jobs.asked.size() == 1);
    CHECK(json::parse(api.jobs.asked[0].document_json)["title"] == "Own, again");
    CHECK(api.jobs.asked[0].from == tests::at("2026-03-01T00:00:00Z"));

    CHECK(api.post(path, march_with({{"version", 1}})).body["version"] == 1);
    CHECK(json::parse(api.jobs.asked[1].document_json)["title"] == "Own");
    CHECK(api.post(path, march_with({{"version", 3}})).status == 404);
    CHECK(api.post("/api/v1/patterns/none/backtest", march()).status == 404);
    CHECK(api.jobs.asked.size() == 2);
}

TEST_CASE("a document is backtested as the version that it would become, without being stored") {
    Posted api;
    auto document = own_pattern();
    document["title"] = "Own, tried";
    const auto reply = api.post(path, march_with({{"document", document}}));
    REQUIRE(reply.status == 202);
    CHECK(reply.body["version"] == 2);
    CHECK(reply.body["inline"] == true);
    document["id"] = "new";
    CHECK(api.post("/api/v1/patterns/new/backtest", march_with({{"document", document}})).body["version"] == 1);
    document["id"] = "mfa-fatigue";
    CHECK(api.post("/api/v1/patterns/mfa-fatigue/backtest", march_with({{"document", document}})).body["version"] == 2);
    CHECK(api.patterns.former.size() == 1);
    CHECK(json::parse(api.jobs.asked[0].document_json)["title"] == "Own, tried");
}

TEST_CASE("what ships is backtested as it ships") {
    tests::FakeApi api;
    CHECK(api.post("/api/v1/patterns/mfa-fatigue/backtest", march_with({{"version", 1}})).status == 202);
    CHECK(api.post("/api/v1/patterns/mfa-fatigue/backtest", march_with({{"version", 2}})).status == 404);
    REQUIRE(api.post("/api/v1/patterns/mfa-fatigue/backtest", march()).status == 202);
    CHECK(json::parse(api.jobs.asked[1].document_json)["id"] == "mfa-fatigue");
}

TEST_CASE("a backtest asked for in YAML is the same") {
    Posted api;
    const auto* body = "from: \"2026-03-01T00:00:00Z\"\nto: \"2026-03-31T00:00:00Z\"\nversion: 1\n";
    CHECK(api.post(path, body, "application/yaml").status == 202);
}

TEST_CASE("faults of a document inside are told where they are") {
    Posted api;
    auto document = own_pattern();
    document["stages"][1]["match"] = {{"mane", "y"}};
    const auto reply = api.post(path, march_with({{"document", document}}));
    CHECK(reply.status == 422);
    CHECK(reply.pointers() == std::vector<std::string>{"/document/stages/1/match/mane"});
}

TEST_CASE("when as many wait as may, another is refused with the reason") {
    Posted api;
    api.jobs.failure = api::ports::Failure{FailureCode::conflict, "8 backtests wait or run already"};
    const auto reply = api.post(path, march());
    CHECK(reply.status == 409);
    CHECK(reply.body["detail"] == "8 backtests wait or run already");
}

TEST_CASE("a job tells how far it is, and its result once it is done") {
    Posted api;
    const auto id = api.post(path, march()).body["id"].get<std::string>();
    auto& job = api.jobs.rows[0];
    job.state = JobState::running;
    job.started = tests::at("2026-03-06T08:00:01Z");
    job.read = 250'000;
    job.total = 1'000'000;
    auto reply = api.get("/api/v1/jobs/" + id);
    CHECK(reply.body["progress"] == json{{"signals_read", 250'000}, {"signals_total", 1'000'000}, {"percent", 25}});
    CHECK_FALSE(reply.body.contains("result"));

    job.state = JobState::failed;
    job.ended = tests::at("2026-03-06T08:00:05Z");
    job.error = "the database failed";
    CHECK(api.get("/api/v1/jobs/" + id).body["error"] == "the database failed");
    job.total = 0;
    CHECK(api.get("/api/v1/jobs/" + id).body["progress"]["percent"] == 100);
    CHECK(api.get("/api/v1/jobs/none").status == 404);
    CHECK(api.get("/api/v1/jobs/5c0ffee0-0000-4000-8000-000000000009").status == 404);
}

TEST_CASE("jobs are listed newest first in pages, without results") {
    Posted api;
    for (int i = 0; i < 3; ++i) REQUIRE(api.post(path, march()).status == 202);
    api.jobs.rows[2].result_json = "{}";
    const auto first = api.get("/api/v1/jobs?limit=2");
    REQUIRE(first.body["items"].size() == 2);
    CHECK(first.body["items"][0]["id"] == api.jobs.rows[2].id);
    CHECK_FALSE(first.body["items"][0].contains("result"));
    CHECK(api.get("/api/v1/jobs?cursor=" + first.body["next_cursor"].get<std::string>()).body["items"].size() == 1);
}

TEST_CASE("a job is cancelled once and stays so; one that has ended otherwise cannot be") {
    Posted api;
    const auto id = api.post(path, march()).body["id"].get<std::string>();
    CHECK(api.remove("/api/v1/jobs/" + id).body["state"] == "cancelled");
    CHECK(api.remove("/api/v1/jobs/" + id).status == 200);
    api.jobs.rows[0].state = JobState::done;
    CHECK(api.remove("/api/v1/jobs/" + id).status == 409);
    CHECK(api.remove("/api/v1/jobs/none").status == 404);
}
