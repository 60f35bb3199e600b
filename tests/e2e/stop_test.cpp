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
using std::chrono::milliseconds;

TEST_CASE(
    "SIGTERM under load, again and again: exit code 0 in time, nothing acknowledged is lost, it starts again, and incidents are those of an undisturbed run") {
    constexpr int rounds_of_one_server = 10;  // then all of its signals are looked at, and the next one starts empty
    const auto rounds = static_cast<int>(environment_number("TEST_STOP_ROUNDS", 1, 100'000, 3));
    std::mt19937 random{20260306};
    Undisturbed undisturbed;
    Tally total;
    Agreement agreement;
    milliseconds slowest{};
    for (int done = 0; done < rounds; done += rounds_of_one_server) {
        ServerProcess server;
        server.start();
        const auto key = server.tenant_key("stop-loop");
        ApiClient client{server.url(), key};
        make_incident(client);
        Ledger ledger;
        Keyed keyed;
        {
            const Load load{server.url(), key, ledger, keyed};
            for (int round = done; round < std::min(rounds, done + rounds_of_one_server); ++round) {
                std::this_thread::sleep_for(milliseconds{300 + random() % 700});
                const auto begun = std::chrono::steady_clock::now();
                CHECK(server.stop() == 0);
                slowest = std::max(slowest, std::chrono::ceil<milliseconds>(std::chrono::steady_clock::now() - begun));
                server.start();
            }
        }
        const auto kept = check_kept(client, ledger, keyed);
        total += kept.tally;
        agreement += undisturbed.compare(client, kept.stored);
        CHECK(server.stop() == 0);
    }
    CHECK(slowest < std::chrono::seconds{30});
    MESSAGE(fmt::format("{} stops, the slowest in {} ms; {} acknowledged, {} stored, {} sent; {}", rounds, slowest.count(), total.acknowledged, total.stored,
                        total.sent, agreement.text()));
}
