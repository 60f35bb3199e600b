#include "tests/e2e/cutting_proxy.hpp"
#include "tests/e2e/real_system.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <thread>

// The real ticket systems, behind a proxy that cuts, with a Catenary that is killed and ticket systems that are.

using namespace catenary::tests;
using namespace std::chrono_literals;
using catenary::server::ApiClient;
using nlohmann::json;

namespace {

constexpr auto poll = 5s;
constexpr auto long_patience = 1'200s;  // for some dozens of tickets: a real Request Tracker makes a few a second, on a machine with nothing else to do

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

/// Asks until `done`; how long that took, empty when it did not come to that.
template <class Done>
std::optional<std::chrono::duration<double>> within(std::chrono::seconds patience, Done done) {
    const auto begin = std::chrono::steady_clock::now();
    while (!done()) {
        if (std::chrono::steady_clock::now() > begin + patience) return std::nullopt;
        std::this_thread::sleep_for(500ms);  // the ticket systems have few workers, and answer Catenary as well
    }
    return std::chrono::steady_clock::now() - begin;
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

json incident(ApiClient& client, int number) { return json::parse(client.get(fmt::format("/api/v1/incidents/{}", number)).body); }

void edit(ApiClient& client, int number, const std::string& change) {
    REQUIRE(client.send({.method = "PATCH", .path = fmt::format("/api/v1/incidents/{}", number), .body = change, .headers = {}}).status == 200);
}

/// Every incident gets its ticket, while exchanges are cut and both sides are killed in turn.
void open_all(RealSystem& system, ServerProcess& server, ApiClient& client, CuttingProxy& proxy, int wanted) {
    std::mt19937 random{7};
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < wanted; ++i) REQUIRE(client.post("/api/v1/signals", story_of(i), "application/x-ndjson").status == 200);
    const auto done = [&] { return static_cast<int>(tickets(client, "&state=done").size()); };
    constexpr int kills = 6;
    for (int killed = 0; killed < kills; ++killed) {
        REQUIRE(within(long_patience, [&] { return done() >= wanted * (killed + 1) / (kills + 2); }));
        std::this_thread::sleep_for(std::chrono::milliseconds{random() % 1500});
        if (killed % 2 == 0) {
            server.crash();
            server.start();
        } else {
            system.crash();
            std::this_thread::sleep_for(std::chrono::milliseconds{random() % 3000});
            system.start();
        }
    }
    REQUIRE(within(long_patience, [&] { return done() >= wanted * (kills + 1) / (kills + 2); }));
    proxy.heal();
    const bool all_done = within(long_patience, [&] { return done() == wanted; }).has_value();
    if (!all_done) {
        for (const auto& ticket : tickets(client, "")) MESSAGE(ticket.dump());
    }
    REQUIRE(all_done);
    MESSAGE(fmt::format("{} incidents, {} exchanges cut, {} kills of each side, {:.0f} s", wanted, proxy.cuts(), kills / 2,
                        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()));
    CHECK(system.tickets().size() == static_cast<std::size_t>(wanted));
}

/// What is closed, opened again or changed on one side is so on the other within a poll, and then nothing moves any more.
void check_both_ways(RealSystem& system, ApiClient& client) {
    const auto id_of = [&](int number) { return tickets(client, fmt::format("&incident={}", number)).at(0)["external_id"].get<std::string>(); };
    const auto there = id_of(1), here = id_of(2);
    double slowest = 0;
    const auto in_time = [&](const char* what, auto done) {
        // Following a change takes up to a dozen answers of the ticket system: a second in all, or minutes on a machine that is busy otherwise.
        const auto begin = std::chrono::steady_clock::now();
        system.show(there);
        const auto slack = 5s + std::chrono::ceil<std::chrono::seconds>(12 * (std::chrono::steady_clock::now() - begin));
        const auto took = within(poll + slack, done);
        CHECK_MESSAGE(took.has_value(), std::string{what});
        slowest = std::max(slowest, took ? took->count() : 1e9);
    };
    system.reject(there);
    in_time("closed there", [&] { return incident(client, 1)["status"] == "closed"; });
    CHECK(incident(client, 1)["classification"] == "false_positive");
    system.reopen(there);
    in_time("opened again there", [&] { return incident(client, 1)["status"] == "active"; });
    edit(client, 2, R"({"status":"closed","classification":"true_positive"})");
    in_time("closed here", [&] { return system.show(here).closed; });
    edit(client, 2, R"({"status":"active"})");
    in_time("opened again here", [&] { return !system.show(here).closed; });
    const auto priority = system.show(here).priority;
    edit(client, 2, R"({"severity":"low"})");
    in_time("another severity here", [&] { return system.show(here).priority != priority; });
    const auto still = [&] {
        return fmt::format("{} {} {} {}", system.show(there).changed, system.show(here).changed, incident(client, 1)["revision"].dump(),
                           incident(client, 2)["revision"].dump());
    };
    REQUIRE(within(long_patience, [&] {
        const auto all = tickets(client, "");
        return std::ranges::all_of(all, [](const json& ticket) { return ticket["delivered_revision"] == ticket["wanted_revision"]; });
    }));
    const auto before = still();
    std::this_thread::sleep_for(3 * poll);
    CHECK(still() == before);
    MESSAGE(fmt::format("both ways: the slowest of five took {:.1f} s at a poll of {} s", slowest, poll.count()));
}

void run_against(RealSystem& system) {
    const int wanted = static_cast<int>(environment_number("TEST_TICKETS", 8, 1'000, 20));
    system.begin();
    CuttingProxy proxy{system.url()};
    ServerProcess server{{"--connector-networks", "127.0.0.0/8"}};
    server.start();
    ApiClient client{server.url(), server.tenant_key("tickets")};
    auto connector = system.connector(proxy.url());
    connector["poll"] = fmt::format("{}s", poll.count());
    const auto body = connector.dump();
    const auto put = client.send({.method = "PUT", .path = "/api/v1/connectors/soc", .body = body, .headers = {}});
    REQUIRE_MESSAGE(put.status == 201, put.body);
    REQUIRE(within(60s, [&] { return json::parse(client.post("/api/v1/connectors/soc/test", "").body)["ok"] == true; }));
    open_all(system, server, client, proxy, wanted);
    check_both_ways(system, client);
    CHECK(system.tickets().size() == static_cast<std::size_t>(wanted));
    CHECK(server.stop() == 0);
    system.end();
}

}  // namespace

TEST_CASE("with a real Redmine every incident has one issue, whatever is cut or killed, and both sides close each other" *
          doctest::skip(RealSystem::missing())) {
    run_against(*real_redmine());
}

TEST_CASE("with a real Request Tracker every incident has one ticket, whatever is cut or killed, and both sides close each other" *
          doctest::skip(RealSystem::missing())) {
    run_against(*real_request_tracker());
}
