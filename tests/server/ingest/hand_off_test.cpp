#include "server/ingest/hand_off.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>

using namespace std::chrono_literals;
using catenary::engine::Position;
using catenary::server::CommittedGroup;
using catenary::server::HandOff;

namespace {

CommittedGroup group(int first, std::size_t bytes = 10) {
    CommittedGroup made;
    made.first = made.last = Position{first};
    made.bytes = bytes;
    return made;
}
auto at_once() { return std::chrono::steady_clock::now(); }

}  // namespace

TEST_CASE("between its commit and its offer a group is expected, and need not be looked for in the store") {
    HandOff hand_off;
    hand_off.open();
    CHECK(hand_off.idle());
    hand_off.expect();
    CHECK_FALSE(hand_off.idle());
    REQUIRE(hand_off.offer(group(1), 0ms));
    CHECK_FALSE(hand_off.idle());
    REQUIRE(hand_off.take(at_once()));
    CHECK(hand_off.idle());
    hand_off.expect();
    hand_off.dismiss();
    CHECK(hand_off.idle());
}

TEST_CASE("a group that finds no room is left out, and has to be looked for") {
    HandOff hand_off{15};
    hand_off.open();
    REQUIRE(hand_off.offer(group(1), 0ms));
    hand_off.expect();
    CHECK_FALSE(hand_off.offer(group(2), 1ms));
    CHECK(hand_off.take(at_once())->first == Position{1});
    CHECK(hand_off.idle());
    CHECK_FALSE(hand_off.take(at_once()));
}

TEST_CASE("room that somebody makes is waited for; nobody waits when nobody takes") {
    HandOff hand_off{15};
    hand_off.open();
    REQUIRE(hand_off.offer(group(1), 0ms));
    auto second = std::async(std::launch::async, [&] { return hand_off.offer(group(2), 10s); });
    CHECK(hand_off.take(at_once() + 10s)->first == Position{1});
    CHECK(second.get());
    hand_off.close();
    CHECK(hand_off.usage().groups == 0);
    CHECK_FALSE(hand_off.offer(group(3), 10s));
}

TEST_CASE("nobody waits for a worker that stands still, but what finds room is taken") {
    HandOff hand_off{15};
    hand_off.open();
    {
        const HandOff::Standing standing{hand_off};
        REQUIRE(hand_off.offer(group(1), 0ms));
        const auto begin = std::chrono::steady_clock::now();
        CHECK_FALSE(hand_off.offer(group(2), 60s));
        CHECK(std::chrono::steady_clock::now() - begin < 30s);
    }
    auto waiting = std::async(std::launch::async, [&] { return hand_off.offer(group(2), 60s); });
    CHECK(waiting.wait_for(50ms) == std::future_status::timeout);
    {
        const HandOff::Standing standing{hand_off};
        REQUIRE(waiting.wait_for(30s) == std::future_status::ready);
        CHECK_FALSE(waiting.get());
    }
}
