#include "tests/e2e/load.hpp"
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

/// Kills one server `rounds` times under load, and then looks for every signal that was sent and everything that was asked for under a key.
Tally kill_and_count(int rounds, std::mt19937& random) {
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
    const auto tally = check_kept(client, ledger, keyed);
    CHECK(server.stop() == 0);
    return tally;
}

}  // namespace

TEST_CASE("kill -9 of the server under load loses nothing acknowledged and doubles nothing, and what has a key happens once") {
    constexpr int rounds_of_one_server = 10;  // then all of its signals are looked at, and the next one starts empty
    const auto rounds = static_cast<int>(catenary::tests::environment_number("TEST_KILL_ROUNDS", 1, 100'000, 3));
    std::mt19937 random{20260305};
    Tally total;
    for (int done = 0; done < rounds; done += rounds_of_one_server) {
        total += kill_and_count(std::min(rounds - done, rounds_of_one_server), random);
    }
    MESSAGE(fmt::format("{} acknowledged, {} stored, {} sent", total.acknowledged, total.stored, total.sent));
}
