#include "tests/e2e/cutting_proxy.hpp"
#include "tests/e2e/incident_story.hpp"
#include "tests/e2e/real_system.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

// The real ticket systems, behind a proxy that cuts, with a Catenary that is killed and ticket systems that are.

using namespace catenary::tests;
using namespace std::chrono_literals;
using catenary::server::ApiClient;
using nlohmann::json;

namespace {

constexpr auto poll = 15s;
constexpr auto long_patience = 1'200s;  // for some dozens of tickets: a real Request Tracker makes a few a second, on a machine with nothing else to do

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

bool is_changed_on_the_way(int number) { return number % 4 == 3; }

struct Figures {
    int kills = 0;  ///< of each side
    double in_step = 0;
    double there_to_here = 0, here_to_there = 0;  ///< the slowest
    std::size_t entries = 0;
};

/// Every incident gets its ticket, and every fourth changes meanwhile, while exchanges are cut and both sides are killed in turn.
void open_all(RealSystem& system, ServerProcess& server, ApiClient& client, CuttingProxy& proxy, int wanted, Figures& figures) {
    std::mt19937 random{7};
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < wanted; ++i) REQUIRE(client.post("/api/v1/signals", incident_story(i), "application/x-ndjson").status == 200);
    wait_until_correlated(client);
    const auto done = [&] { return static_cast<int>(tickets(client, "&state=done").size()); };
    const int kills = std::clamp(wanted / 20, 6, 10);
    for (int killed = 0; killed < kills; ++killed) {
        REQUIRE(within(long_patience, [&] { return done() >= wanted * (killed + 1) / (kills + 2); }));
        // While deliveries are under way, as far into one as chance has it.
        std::this_thread::sleep_for(std::chrono::milliseconds{random() % 1500});
        if (killed % 2 == 0) {
            server.crash();
            server.start();
        } else {
            system.crash();
            std::this_thread::sleep_for(std::chrono::milliseconds{random() % 3000});
            system.start();
        }
        for (int number = 1; number <= wanted; ++number) {
            if (is_changed_on_the_way(number) && number % kills == killed) edit(client, number, R"({"severity":"low"})");
        }
    }
    proxy.heal();
    const bool all_done = within(long_patience, [&] { return done() == wanted; }).has_value();
    if (!all_done) {
        for (const auto& ticket : tickets(client, "")) MESSAGE(ticket.dump());
    }
    REQUIRE(all_done);
    figures.kills = kills / 2;
    figures.in_step = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    CHECK(system.tickets().size() == static_cast<std::size_t>(wanted));
}

std::string ticket_of(ApiClient& client, int number) {
    const auto found = tickets(client, fmt::format("&incident={}", number));
    REQUIRE(found.size() == 1);
    return found.front()["external_id"].get<std::string>();
}

/// How long it takes until `done`; a failure when that is more than a poll, and the dozen answers of the ticket system that follow a change: of the delivery
/// that is under way, of the poll, of the look at who changed it, of the delivery. They are a second in all, or minutes on a machine that is busy otherwise.
template <class Done>
double in_time(RealSystem& system, const std::string& id, const char* what, Done done) {
    using Seconds = std::chrono::duration<double>;
    const auto begin = std::chrono::steady_clock::now();
    Seconds slowest{};
    for (;;) {
        const bool is_done = done();
        const auto asked = std::chrono::steady_clock::now();
        const Seconds took = asked - begin;
        if (is_done) return took.count();
        system.show(id);
        slowest = std::max<Seconds>(slowest, std::chrono::steady_clock::now() - asked);
        const Seconds most = poll + 5s + 12 * slowest;
        CHECK_MESSAGE(took < most, what, " has not arrived after ", took.count(), " s, with answers that take ", slowest.count(), " s");
        if (took >= most) return took.count();
        std::this_thread::sleep_for(500ms);
    }
}

/// What is closed, opened again or changed on one side is so on the other within a poll.
void check_both_ways(RealSystem& system, ApiClient& client, Figures& figures) {
    const std::vector<int> closed_there{1, 5, 6};
    const int closed_here = 2;
    std::map<int, std::string> ids;
    for (const auto number : closed_there) ids[number] = ticket_of(client, number);
    const auto here = ticket_of(client, closed_here);
    const auto from_there = [&](const char* what, auto done) { figures.there_to_here = std::max(figures.there_to_here, in_time(system, here, what, done)); };
    const auto from_here = [&](const char* what, auto done) { figures.here_to_there = std::max(figures.here_to_there, in_time(system, here, what, done)); };
    const auto all_are = [&](const char* status) {
        return std::ranges::all_of(closed_there, [&](int number) { return incident(client, number)["status"] == status; });
    };
    for (const auto& [number, id] : ids) system.reject(id);
    from_there("what was closed there", [&] { return all_are("closed"); });
    for (const auto number : closed_there) CHECK(incident(client, number)["classification"] == "false_positive");
    for (const auto& [number, id] : ids) system.reopen(id);
    from_there("what was opened again there", [&] { return all_are("active"); });
    edit(client, closed_here, R"({"status":"closed","classification":"true_positive"})");
    from_here("what was closed here", [&] { return system.show(here).closed; });
    edit(client, closed_here, R"({"status":"active"})");
    from_here("what was opened again here", [&] { return !system.show(here).closed; });
    const auto priority = system.show(here).priority;
    edit(client, closed_here, R"({"severity":"low"})");
    from_here("another severity here", [&] { return system.show(here).priority != priority; });
}

/// Every ticket shows its incident, nothing was told twice, and nothing moves any more.
void check_still(RealSystem& system, ApiClient& client, int wanted, Figures& figures) {
    const auto is_in_step = [](const json& ticket) { return ticket["state"] == "done" && ticket["delivered_revision"] == ticket["wanted_revision"]; };
    REQUIRE(within(long_patience, [&] { return std::ranges::all_of(tickets(client, ""), is_in_step); }));
    const auto revisions = [&] {
        std::string all;
        for (int number = 1; number <= wanted; ++number) all += incident(client, number)["revision"].dump() + " ";
        return all;
    };
    const auto low = system.show(ticket_of(client, 2)).priority;
    for (int number = 1; number <= wanted; ++number) {
        if (is_changed_on_the_way(number)) CHECK(system.show(ticket_of(client, number)).priority == low);
    }
    const auto before = revisions();
    const auto journals = system.journals();
    for (const auto& [id, notes] : journals.notes) {
        auto sorted = notes;
        std::ranges::sort(sorted);
        const auto twice = std::ranges::adjacent_find(sorted);
        CHECK_MESSAGE(twice == sorted.end(), "ticket ", id, " was told twice: ", twice == sorted.end() ? "" : *twice);
    }
    std::this_thread::sleep_for(3 * poll);
    CHECK(system.journals() == journals);
    CHECK(revisions() == before);
    CHECK(system.tickets().size() == static_cast<std::size_t>(wanted));
    figures.entries = journals.entries;
}

void run_against(RealSystem& system, const char* name) {
    const int wanted = static_cast<int>(environment_number("TEST_TICKETS", 8, 1'000, 20));
    Figures figures;
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
    open_all(system, server, client, proxy, wanted, figures);
    check_both_ways(system, client, figures);
    check_still(system, client, wanted, figures);
    MESSAGE(
        fmt::format("{}: {} incidents, {} tickets, {} exchanges cut, each side killed {} times, in step after {:.0f} s; slowest change from there {:.1f} s, "
                    "from here {:.1f} s, at a poll of {} s; {} entries of journals, none more in {} s",
                    name, wanted, system.tickets().size(), proxy.cuts(), figures.kills, figures.in_step, figures.there_to_here, figures.here_to_there,
                    poll.count(), figures.entries, (3 * poll).count()));
    CHECK(server.stop() == 0);
    system.end();
}

}  // namespace

TEST_CASE("with a real Redmine every incident has one issue, whatever is cut or killed, and both sides close each other" *
          doctest::skip(RealSystem::missing())) {
    run_against(*real_redmine(), "Redmine");
}

TEST_CASE("with a real Request Tracker every incident has one ticket, whatever is cut or killed, and both sides close each other" *
          doctest::skip(RealSystem::missing())) {
    run_against(*real_request_tracker(), "Request Tracker");
}
