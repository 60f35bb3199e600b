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

/// Time that passes when told to; notes whether anybody had to wait, and lets nobody.
class NotedPace final : public catenary::server::Pace {
public:
    Time now() const override { return time; }
    bool wait_until(std::unique_lock<std::mutex>&, std::condition_variable&, Time, const std::function<bool()>& ready) const override {
        waited = waited || !ready();
        return ready();
    }
    mutable Time time{1'000s};
    mutable bool waited = false;
};

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

TEST_CASE("after a group that was left out none is taken until the worker has come to it: one long piece to look for, not many") {
    HandOff hand_off{25};
    hand_off.open();
    REQUIRE(hand_off.offer(group(1), 0ms));
    REQUIRE(hand_off.offer(group(2), 0ms));
    CHECK_FALSE(hand_off.offer(group(3), 0ms));
    CHECK(hand_off.take(at_once())->first == Position{1});
    CHECK_FALSE(hand_off.offer(group(4), 0ms));
    CHECK(hand_off.take(at_once())->first == Position{2});
    CHECK(hand_off.offer(group(5), 0ms));
    CHECK(hand_off.offer(group(6), 0ms));
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

TEST_CASE("nobody waits for a worker that stands still or catches up after it, but what finds room is taken") {
    const NotedPace pace;
    HandOff hand_off{15, pace};
    hand_off.open();
    const auto must_wait = [&] {
        pace.waited = false;
        CHECK_FALSE(hand_off.offer(group(2), 1s));
        return pace.waited;
    };
    {
        const HandOff::Standing standing{hand_off};
        REQUIRE(hand_off.offer(group(1), 0ms));
        CHECK_FALSE(must_wait());
        pace.time += 5s;
    }
    pace.time += 19s;
    CHECK_FALSE(must_wait());
    pace.time += 1s;
    CHECK(must_wait());
}

TEST_CASE("who waits for room when the worker begins to stand waits no longer") {
    HandOff hand_off{15};
    hand_off.open();
    REQUIRE(hand_off.offer(group(1), 0ms));
    auto waiting = std::async(std::launch::async, [&] { return hand_off.offer(group(2), 60s); });
    CHECK(waiting.wait_for(50ms) == std::future_status::timeout);
    const HandOff::Standing standing{hand_off};
    REQUIRE(waiting.wait_for(30s) == std::future_status::ready);
    CHECK_FALSE(waiting.get());
}
