#include "tests/e2e/load.hpp"
#include "tests/e2e/understood.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace catenary::tests;
using catenary::server::ApiClient;
using catenary::server::ApiUnreachable;
using std::chrono::milliseconds;
using Json = nlohmann::json;

namespace {

enum class Blow { back_end, postmaster, immediate_stop };

std::string content(const std::filesystem::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// Process id of the postmaster; 0 while there is none.
pid_t postmaster(const ServerProcess& server) {
    std::ifstream file{server.data_folder() / "postgres" / "postmaster.pid"};
    pid_t pid = 0;
    file >> pid;
    return pid;
}

/// The back-ends of clients, not those that PostgreSQL keeps for itself.
std::vector<pid_t> back_ends(pid_t parent) {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) continue;
        const auto stat = content(entry.path() / "stat");
        const auto after_name = stat.rfind(')');
        if (after_name == std::string::npos || stat.size() < after_name + 4 || std::stoi(stat.substr(after_name + 4)) != parent) continue;
        if (content(entry.path() / "cmdline").find("[local]") != std::string::npos) found.push_back(std::stoi(name));
    }
    return found;
}

/// Whether it hit: PostgreSQL may be between two lives.
bool strike(const ServerProcess& server, Blow blow, std::mt19937& random) {
    const auto parent = postmaster(server);
    if (parent <= 1) return false;
    if (blow == Blow::postmaster) return ::kill(parent, SIGKILL) == 0;
    if (blow == Blow::immediate_stop) return ::kill(parent, SIGQUIT) == 0;
    const auto victims = back_ends(parent);
    return !victims.empty() && ::kill(victims[random() % victims.size()], SIGKILL) == 0;
}

/// One of the two signals that make an incident of an account.
std::string story(int number, bool second) {
    return Json{{"id", fmt::format("{}-{}", number, second)},
                {"source", "story"},
                {"time", fmt::format("2026-03-04T{:02}:{:02}:00Z", number % 24, second ? 10 : 0)},
                {"domain", second ? "email" : "identity"},
                {"name", second ? "suspicious_inbox_rule" : "impossible_travel"},
                {"confidence", 0.35},
                {"entities", {{{"kind", "account"}, {"value", fmt::format("user-{}@b.example", number)}}}}}
        .dump();
}

/// Sends it again and again until it is acknowledged.
void insist(ApiClient& client, const std::string& signal) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    for (int status = 0; status != 200;) {
        REQUIRE(std::chrono::steady_clock::now() < deadline);
        try {
            status = client.post("/api/v1/signals", signal).status;
        } catch (const ApiUnreachable&) {
        }
        if (status != 200) std::this_thread::sleep_for(milliseconds{20});
    }
}

/// Every incident, with its number and revision, without the times at which it was made and changed: those are of the day of the test.
Json incidents(ApiClient& client) {
    wait_until_correlated(client);
    const auto reply = client.get("/api/v1/incidents?limit=100");
    CAPTURE(reply.body);
    REQUIRE(reply.status == 200);
    auto items = Json::parse(reply.body)["items"];
    for (auto& item : items) {
        REQUIRE(item.erase("created") + item.erase("updated") == 2);
    }
    return items;
}

struct Figures {
    Tally tally;
    Agreement agreement;
    std::size_t refused = 0;
    milliseconds slowest_no{};
    milliseconds longest_gap{};
};

/// Strikes one server's PostgreSQL `rounds` times under load, each time in the middle of an incident.
Figures strike_and_count(int rounds, Undisturbed& undisturbed_server, std::mt19937& random) {
    ServerProcess server;
    server.start();
    auto undisturbed = server.tenant("undisturbed");
    for (int number = 0; number < rounds; ++number) {
        insist(undisturbed, story(number, false));
        insist(undisturbed, story(number, true));
    }
    const auto expected = incidents(undisturbed);
    REQUIRE(expected.size() == static_cast<std::size_t>(rounds));

    auto disturbed = server.tenant("disturbed");
    const auto key = server.tenant_key("load");
    ApiClient client{server.url(), key};
    make_incident(client);
    Ledger ledger;
    Keyed keyed;
    int hits[3] = {};
    {
        const Load load{server.url(), key, ledger, keyed};
        for (int round = 0; round < rounds; ++round) {
            std::this_thread::sleep_for(milliseconds{200 + random() % 500});
            insist(disturbed, story(round, false));
            const auto blow = static_cast<Blow>(round % 3);
            while (!strike(server, blow, random)) std::this_thread::sleep_for(milliseconds{5});
            ++hits[round % 3];
            insist(disturbed, story(round, true));
        }
    }
    const auto log = content(server.data_folder() / "postgres.log");
    int crashes = 0;
    for (auto at = log.find("was terminated by signal 9"); at != std::string::npos; at = log.find("was terminated by signal 9", at + 1)) ++crashes;
    CHECK(crashes >= hits[static_cast<int>(Blow::back_end)]);
    CHECK((log.find("received immediate shutdown request") != std::string::npos) == (hits[static_cast<int>(Blow::immediate_stop)] > 0));

    const auto kept = check_kept(client, ledger, keyed);
    const auto agreement = undisturbed_server.compare(client, kept.stored);
    CHECK(incidents(disturbed) == expected);
    CHECK(server.stop() == 0);
    return {kept.tally, agreement, ledger.refused, ledger.slowest_no, ledger.longest_gap};
}

}  // namespace

TEST_CASE("PostgreSQL killed under load: refusals are quick, nothing acknowledged is lost or doubled, and incidents are those of an undisturbed run") {
    constexpr int rounds_of_one_server = 15;
    const auto rounds = static_cast<int>(environment_number("TEST_POSTGRES_KILL_ROUNDS", 1, 100'000, 3));
    std::mt19937 random{20260307};
    Undisturbed undisturbed;
    Tally total;
    Agreement agreement;
    milliseconds slowest_no{};
    milliseconds longest_gap{};
    std::size_t refused = 0;
    for (int done = 0; done < rounds; done += rounds_of_one_server) {
        const auto figures = strike_and_count(std::min(rounds - done, rounds_of_one_server), undisturbed, random);
        total += figures.tally;
        agreement += figures.agreement;
        refused += figures.refused;
        slowest_no = std::max(slowest_no, figures.slowest_no);
        longest_gap = std::max(longest_gap, figures.longest_gap);
    }
    CHECK(slowest_no < std::chrono::seconds{5});
    MESSAGE(fmt::format("{} blows; the slowest of {} refusals {} ms, {} ms at most without an acknowledgement; {} acknowledged, {} stored, {} sent; {}", rounds,
                        refused, slowest_no.count(), longest_gap.count(), total.acknowledged, total.stored, total.sent, agreement.text()));
}
