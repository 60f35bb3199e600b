#include "tests/e2e/incident_story.hpp"
#include "tests/e2e/real_system.hpp"
#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

// Merges, splits, comments and deletions with the real Redmine, and a Catenary that is killed on the way.

using namespace catenary::tests;
using namespace std::chrono_literals;
using catenary::server::ApiClient;
using nlohmann::json;

namespace {

/// Redmine seen by an administrator, and the server's API.
struct Desk {
    Desk() {
        redmine->begin();
        server.start();
        client = std::make_unique<ApiClient>(server.url(), server.tenant_key("flows"));
        auto body = redmine->connector(redmine->url());
        body["comments"] = true;
        body["poll"] = "2s";
        const auto text = body.dump();
        const auto put = client->send({.method = "PUT", .path = "/api/v1/connectors/soc", .body = text, .headers = {}});
        REQUIRE_MESSAGE(put.status == 201, put.body);
    }
    json get(const std::string& path) { return json::parse(client->get(path).body); }
    json post(const std::string& path, const json& body, int status) {
        const auto reply = client->post(path, body.dump());
        REQUIRE_MESSAGE(reply.status == status, reply.body);
        return json::parse(reply.body);
    }
    json ticket(std::int64_t number) {
        const auto found = get(fmt::format("/api/v1/tickets?incident={}", number))["items"];
        return found.empty() ? json{{"state", "none"}} : found[0];
    }
    std::string id_of(std::int64_t number) { return ticket(number)["external_id"].get<std::string>(); }
    json issue_of(std::int64_t number) { return redmine->ask("GET", "/issues/" + id_of(number) + ".json?include=relations,journals", nullptr, 200)["issue"]; }
    std::set<std::string> relations(std::int64_t number) {
        std::set<std::string> others;
        const auto issue = issue_of(number);
        for (const auto& relation : issue.value("relations", json::array())) {
            for (const auto* end : {"issue_id", "issue_to_id"}) others.insert(std::to_string(relation[end].get<int>()));
        }
        others.erase(id_of(number));
        return others;
    }
    std::ptrdiff_t notes(std::int64_t number, const std::string& words) {
        const auto issue = issue_of(number);
        return std::ranges::count_if(issue["journals"], [&](const json& journal) { return journal.value("notes", "").find(words) != std::string::npos; });
    }
    std::vector<std::string> comments(std::int64_t number) {
        std::vector<std::string> said;
        const auto activity = get(fmt::format("/api/v1/incidents/{}/activity?limit=500", number));
        for (const auto& line : activity["items"]) {
            if (line["what"] == "commented") said.push_back(line["actor"].get<std::string>() + ": " + line["detail"].get<std::string>());
        }
        return said;
    }
    template <class Done>
    bool within(std::chrono::seconds patience, Done done) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!done()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::sleep_for(200ms);
        }
        return true;
    }
    bool settled(std::size_t tickets) {
        return within(60s, [&] {
            const auto all = get("/api/v1/tickets?limit=100")["items"];
            return all.size() == tickets &&
                   std::ranges::all_of(all, [](const json& one) { return one["state"] == "done" && one["wanted_revision"] == one["delivered_revision"]; });
        });
    }

    std::unique_ptr<RealSystem> redmine = real_redmine();
    ServerProcess server{{"--connector-networks", "127.0.0.0/8"}};
    std::unique_ptr<ApiClient> client;
};

}  // namespace

TEST_CASE("with a real Redmine merges and splits relate the issues, comments go both ways once, and deleted issues are gone" *
          doctest::skip(RealSystem::missing())) {
    Desk desk;
    for (int i = 1; i <= 3; ++i) REQUIRE(desk.client->post("/api/v1/signals", incident_story(i), "application/x-ndjson").status == 200);
    REQUIRE(desk.settled(3));

    desk.post("/api/v1/incidents/1/merge", {{"numbers", {2}}, {"reason", "one intruder"}}, 200);
    desk.server.crash();
    desk.server.start();
    CHECK(desk.within(60s, [&] { return desk.notes(2, "merged into incident 1, which goes on in its stead") == 1; }));
    CHECK(desk.within(60s, [&] { return desk.notes(1, "Incident 2 was merged into this one.") == 1; }));
    REQUIRE(desk.settled(3));
    CHECK(desk.relations(1) == std::set<std::string>{desk.id_of(2)});
    CHECK(desk.relations(2) == std::set<std::string>{desk.id_of(1)});

    std::string finding;
    const auto found = desk.get("/api/v1/findings?entity=account:user2@ne.example");
    for (const auto& one : found["items"]) finding = one["id"].get<std::string>();
    const auto apart = desk.post("/api/v1/incidents/1/split", {{"findings", {finding}}, {"reason", "another matter"}}, 201)["number"].get<std::int64_t>();
    REQUIRE(desk.settled(4));
    CHECK(desk.within(60s, [&] { return desk.notes(apart, "The findings of this incident were split off incident 1.") == 1; }));
    CHECK(desk.within(60s, [&] { return desk.notes(1, fmt::format("Findings of this incident were split off to incident {}.", apart)) == 1; }));
    REQUIRE(desk.settled(4));
    CHECK(desk.relations(apart) == std::set<std::string>{desk.id_of(1)});
    CHECK(desk.relations(1) == std::set<std::string>{desk.id_of(2), desk.id_of(apart)});

    desk.post("/api/v1/incidents/3/comments", {{"text", "called her: not her"}}, 201);
    desk.redmine->ask("PUT", "/issues/" + desk.id_of(3) + ".json", {{"issue", {{"notes", "Reset her password.\nTold the help desk."}}}}, 204);
    desk.redmine->ask("PUT", "/issues/" + desk.id_of(3) + ".json", {{"issue", {{"notes", "for us alone"}, {"private_notes", true}}}}, 204);
    REQUIRE(desk.within(20s, [&] { return desk.comments(3).size() == 2; }));
    REQUIRE(desk.settled(4));
    std::this_thread::sleep_for(5s);  // two polls more
    REQUIRE(desk.settled(4));
    CHECK(desk.notes(3, "called her: not her") == 1);
    CHECK(desk.notes(3, "Incident 3 changed") == 0);
    const auto said = desk.comments(3);
    REQUIRE(said.size() == 2);
    CHECK(std::ranges::count(said, "soc:Redmine Admin: Reset her password.\nTold the help desk.") == 1);

    desk.redmine->ask("DELETE", "/issues/" + desk.id_of(3) + ".json", nullptr, 204);
    const auto labelled = desk.client->send({.method = "PATCH", .path = "/api/v1/incidents/3", .body = R"({"severity":"low"})", .headers = {}});
    REQUIRE(labelled.status == 200);
    CHECK(desk.within(20s, [&] { return desk.ticket(3)["state"] == "gone"; }));
    CHECK(desk.redmine->ask("GET", "/issues.json?status_id=*&limit=100", nullptr, 200)["total_count"] == 3);
    CHECK(desk.server.stop() == 0);
    desk.redmine->end();
}
