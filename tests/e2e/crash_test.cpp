#include "tests/e2e/load.hpp"
#include "tests/e2e/understood.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

using namespace catenary::tests;
using catenary::server::ApiClient;

namespace {

struct Figures {
    Tally tally;
    Agreement agreement;
};

/// Kills one server `rounds` times under load, then looks for every signal that was sent, everything that was asked for under a key, and what the signals
/// were understood to mean.
Figures kill_and_count(int rounds, Undisturbed& undisturbed, std::mt19937& random) {
    ServerProcess server;
    server.start();
    const auto key = server.tenant_key("kill-loop");
    ApiClient client{server.url(), key};
    make_incident(client);
    Ledger ledger;
    Keyed keyed;
    {
        const Load load{server.url(), key, ledger, keyed};
        for (int round = 0; round < rounds; ++round) {
            std::this_thread::sleep_for(std::chrono::milliseconds{300 + random() % 700});
            server.crash();
            server.start();
        }
    }
    const auto kept = check_kept(client, ledger, keyed);
    const auto agreement = undisturbed.compare(client, kept.stored);
    CHECK(server.stop() == 0);
    return {kept.tally, agreement};
}

}  // namespace

TEST_CASE(
    "kill -9 of the server under load loses nothing acknowledged and doubles nothing, what has a key happens once, and incidents are those of an undisturbed "
    "run") {
    constexpr int rounds_of_one_server = 10;  // then all of its signals are looked at, and the next one starts empty
    const auto rounds = static_cast<int>(catenary::tests::environment_number("TEST_KILL_ROUNDS", 1, 100'000, 3));
    std::mt19937 random{20260305};
    Undisturbed undisturbed;
    Figures total;
    for (int done = 0; done < rounds; done += rounds_of_one_server) {
        const auto figures = kill_and_count(std::min(rounds - done, rounds_of_one_server), undisturbed, random);
        total.tally += figures.tally;
        total.agreement += figures.agreement;
    }
    MESSAGE(fmt::format("{} acknowledged, {} stored, {} sent; {}", total.tally.acknowledged, total.tally.stored, total.tally.sent, total.agreement.text()));
}
