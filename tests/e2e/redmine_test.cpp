#include "tests/support/environment.hpp"
#include "tests/support/http_site.hpp"
#include "tests/support/server_process.hpp"
#include "tests/support/shared_material.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>

// The real Redmine, behind a proxy that cuts, with a Catenary that is killed.

using namespace catenary::tests;
using namespace std::chrono_literals;
using catenary::server::ApiClient;
using catenary::server::ApiReply;
using nlohmann::json;

namespace {

// It installs a Redmine and takes minutes, so it runs when asked for.
bool no_redmine() { return std::getenv("TEST_TICKETS") == nullptr || shared_material().empty() || !std::filesystem::exists(shared_material() / "ticketing/redmine.sh") || ::geteuid() != 0; }

/// What `redmine.sh` says of the system it runs: REDMINE_URL, REDMINE_API_KEY …
std::map<std::string, std::string> redmine(const std::string& verb) {
    const TemporaryFolder folder;
    ChildProcess script{{"sh", (shared_material() / "ticketing/redmine.sh").string(), verb}, folder.path() / "redmine.log"};
    const int code = script.wait(600s);
    REQUIRE_MESSAGE(code == 0, script.output());
    std::map<std::string, std::string> said;
    std::istringstream lines{script.output()};
    for (std::string line; std::getline(lines, line);) {
        if (const auto at = line.find('='); line.starts_with("REDMINE_") && at != std::string::npos) said[line.substr(0, at)] = line.substr(at + 1);
    }
    return said;
}

/// Carries requests to the ticket system, but for those that it loses: on their way there, or on the way of their reply.
class CuttingProxy {
public:
    explicit CuttingProxy(std::string target) : target_{std::move(target)}, site_{[this](const SiteRequest& request) { return carry(request); }} {}
    std::string url() const { return site_.url(); }
    int cuts() const {
        const std::lock_guard lock{mutex_};
        return cuts_;
    }
    void heal() {
        const std::lock_guard lock{mutex_};
        healed_ = true;
    }

private:
    SiteAnswer carry(const SiteRequest& request) {
        const auto fate = draw();
        SiteAnswer lost;
        lost.cut = SiteAnswer::Cut::before_reply;
        if (fate == 0) return lost;
        try {
            ApiClient client{target_, ""};
            const auto key = request.headers.find("x-redmine-api-key");
            const std::vector<std::string> headers{"X-Redmine-API-Key: " + (key == request.headers.end() ? "" : key->second)};
            const auto reply =
                client.send({.method = request.method, .path = request.target, .body = request.body, .content_type = "application/json", .headers = headers});
            if (fate == 1) return lost;
            return {reply.status, reply.body, {}, fate == 2 ? SiteAnswer::Cut::within_reply : SiteAnswer::Cut::nowhere};
        } catch (const catenary::server::ApiUnreachable&) {
            return lost;
        }
    }
    int draw() {
        const std::lock_guard lock{mutex_};
        const int fate = healed_ ? 9 : static_cast<int>(random_() % 12);
        cuts_ += fate < 3 ? 1 : 0;
        return fate;
    }

    std::string target_;
    mutable std::mutex mutex_;
    std::mt19937 random_{20260305};
    int cuts_ = 0;
    bool healed_ = false;
    HttpSite site_;
};

std::string story_of(int number) {
    const auto account = fmt::format("user{}@ne.example", number);
    const auto signal = [&](const char* source, const char* domain, const char* name, const char* time) {
        return json{{"id", fmt::format("{}-{}", source, number)},
                    {"source", source},
                    {"time", time},
                    {"domain", domain},
                    {"name", name},
                    {"severity", "medium"},
                    {"confidence", 0.35},
                    {"entities", json::array({{{"kind", "account"}, {"value", account}, {"role", "actor"}}})}}
                   .dump() +
               "\n";
    };
    return signal("entra_id", "identity", "impossible_travel", "2026-03-05T09:47:11Z") +
           signal("exchange", "email", "suspicious_inbox_rule", "2026-03-05T10:10:00Z");
}

/// Asks until `done`; whether it came to that.
template <class Done>
bool within(std::chrono::seconds patience, Done done) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!done()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(250ms);
    }
    return true;
}

/// Of the whole list.
std::vector<json> tickets(ApiClient& client, const std::string& filter) {
    std::vector<json> all;
    std::string cursor;
    do {
        const auto reply = client.get("/api/v1/tickets?limit=500" + filter + cursor);
        REQUIRE(reply.status == 200);
        const auto page = json::parse(reply.body);
        for (const auto& item : page["items"]) all.push_back(item);
        cursor = page["next_cursor"].is_null() ? "" : "&cursor=" + page["next_cursor"].get<std::string>();
    } while (!cursor.empty());
    return all;
}

class Admin {
public:
    Admin(std::string url, std::string key) : client_{std::move(url), ""}, key_{"X-Redmine-API-Key: " + std::move(key)} {}
    json get(const std::string& path) {
        const auto reply = client_.send({.method = "GET", .path = path, .body = {}, .content_type = {}, .headers = {key_}});
        REQUIRE(reply.status == 200);
        return json::parse(reply.body);
    }
    void put(const std::string& path, const json& body) {
        const auto text = body.dump();
        REQUIRE(client_.send({.method = "PUT", .path = path, .body = text, .content_type = "application/json", .headers = {key_}}).status == 204);
    }
    /// Subject by external incident id; fails on one that is there twice.
    std::map<std::string, std::string> issues() {
        std::map<std::string, std::string> found;
        for (int offset = 0;; offset += 100) {
            const auto page = get(fmt::format("/issues.json?status_id=*&limit=100&offset={}", offset));
            for (const auto& issue : page["issues"]) {
                const auto marker = issue["custom_fields"][0]["value"].get<std::string>();
                CHECK_MESSAGE(found.emplace(marker, issue["subject"].get<std::string>()).second, marker, " is there twice");
            }
            if (page["issues"].size() < 100) return found;
        }
    }

private:
    ApiClient client_;
    std::string key_;
};

}  // namespace

TEST_CASE("with a real Redmine every incident has one issue, whatever is cut or killed, and both sides close each other" * doctest::skip(no_redmine())) {
    const int wanted = static_cast<int>(environment_number("TEST_TICKETS", 1, 1'000, 20));
    redmine("up");
    redmine("reset");
    auto it = redmine("env");
    CuttingProxy proxy{it.at("REDMINE_URL")};
    ServerProcess server{{"--connector-networks", "127.0.0.0/8"}};
    server.start();
    ApiClient client{server.url(), server.tenant_key("tickets")};
    const json connector{
        {"kind", "redmine"},
        {"url", proxy.url()},
        {"secrets", {{"api_key", it.at("REDMINE_API_KEY")}}},
        {"priorities", {{"high", it.at("REDMINE_PRIORITY_HIGH")}}},
        {"statuses", {{"new", it.at("REDMINE_STATUS_NEW")}, {"active", it.at("REDMINE_STATUS_IN_PROGRESS")}, {"closed", it.at("REDMINE_STATUS_CLOSED")}}},
        {"resolutions", {{it.at("REDMINE_STATUS_REJECTED"), "false_positive"}}},
        {"closing", "apply"},
        {"poll", "2s"},
        {"redmine",
         {{"project", it.at("REDMINE_PROJECT")},
          {"tracker", std::stoi(it.at("REDMINE_TRACKER_BUG"))},
          {"incident_field", std::stoi(it.at("REDMINE_EXTERNAL_ID_FIELD"))}}}};
    const auto body = connector.dump();
    const auto put = client.send({.method = "PUT", .path = "/api/v1/connectors/soc", .body = body, .headers = {}});
    REQUIRE_MESSAGE(put.status == 201, put.body);
    REQUIRE(within(30s, [&] { return json::parse(client.post("/api/v1/connectors/soc/test", "").body)["ok"] == true; }));

    std::mt19937 random{7};
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < wanted; ++i) REQUIRE(client.post("/api/v1/signals", story_of(i), "application/x-ndjson").status == 200);
    const auto done = [&] { return static_cast<int>(tickets(client, "&state=done").size()); };
    constexpr int kills = 3;
    for (int killed = 0; killed < kills; ++killed) {
        REQUIRE(within(300s, [&] { return done() >= wanted * (killed + 1) / (kills + 2); }));
        std::this_thread::sleep_for(std::chrono::milliseconds{random() % 1500});
        server.crash();
        server.start();
    }
    REQUIRE(within(300s, [&] { return done() >= wanted * (kills + 1) / (kills + 2); }));
    proxy.heal();
    const bool all_done = within(300s, [&] { return done() == wanted; });
    if (!all_done) {
        for (const auto& ticket : tickets(client, "")) MESSAGE(ticket.dump());
    }
    REQUIRE(all_done);
    MESSAGE(fmt::format("{} incidents, {} exchanges cut, {} kills, {:.0f} s", wanted, proxy.cuts(), kills,
                        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()));
    Admin admin{it.at("REDMINE_URL"), it.at("REDMINE_ADMIN_API_KEY")};
    CHECK(admin.issues().size() == static_cast<std::size_t>(wanted));

    const auto status_of = [&](std::int64_t number) { return json::parse(client.get(fmt::format("/api/v1/incidents/{}", number)).body); };
    const auto there = tickets(client, "&incident=1").at(0);
    admin.put(fmt::format("/issues/{}.json", there["external_id"].get<std::string>()),
              {{"issue", {{"status_id", std::stoi(it.at("REDMINE_STATUS_REJECTED"))}}}});
    CHECK(within(20s, [&] { return status_of(1)["status"] == "closed"; }));
    CHECK(status_of(1)["classification"] == "false_positive");
    const auto here = tickets(client, "&incident=2").at(0);
    const auto edit =
        client.send({.method = "PATCH", .path = "/api/v1/incidents/2", .body = R"({"status":"closed","classification":"true_positive"})", .headers = {}});
    REQUIRE(edit.status == 200);
    CHECK(within(20s, [&] {
        return admin.get(fmt::format("/issues/{}.json", here["external_id"].get<std::string>()))["issue"]["status"]["id"] ==
               std::stoi(it.at("REDMINE_STATUS_CLOSED"));
    }));
    CHECK(admin.issues().size() == static_cast<std::size_t>(wanted));
    CHECK(server.stop() == 0);
    redmine("down");
}
