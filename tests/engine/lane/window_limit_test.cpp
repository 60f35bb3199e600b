#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

Catalogue two_stages() { return {shared(pattern_of("p", {{"a"}, {"b"}}))}; }

SettingChange at_most(std::int64_t signals) {
    SettingChange change;
    change.window_signals = signals;
    return change;
}

std::string account(int number) { return "account" + std::to_string(number); }

}  // namespace

TEST_CASE("a window holds as many signals as it may: the oldest are forgotten before their time, and counted") {
    LaneStory story{two_stages()};
    story.control(at_most(200));
    std::int64_t most = 0;
    for (int i = 0; i < 4'000; ++i) {
        story.signal(signal_of("a", 30min * i / 10, account(i)));
        if (i % 50 == 0) most = std::max(most, story.stored().status.window_signals);
    }
    const TenantStatus& status = story.stored().status;
    CHECK(status.window_limit == 200);
    CHECK(most <= 200);
    CHECK(status.evicted_signals > 0);
    // What is left still matches.
    story.signal(signal_of("b", 30min * 4'000 / 10, account(3'999)));
    CHECK(story.stored().live_findings().size() == 1);
}

TEST_CASE("what finds no room is matched again from the store, so that a flood hides nothing") {
    LaneStory story{two_stages()};
    story.control(at_most(100));
    for (int i = 0; i < 150; ++i) story.signal(signal_of("a", 1s * i, account(i)));
    CHECK(story.stored().status.window_signals == 100);
    CHECK(story.stored().status.turned_away_signals == 50);
    story.signal(signal_of("b", 200s, account(149)));
    story.signal(signal_of("b", 201s, account(3)));
    story.finish_rematches();
    REQUIRE(story.stored().live_findings().size() == 2);
    CHECK(story.stored().live_findings()[0].principals.front().value == account(3));
    CHECK(story.stored().live_findings()[1].principals.front().value == account(149));
    CHECK(story.stored().status.rematch_backlog == 0);
}

TEST_CASE("what a full window forgets is a function of the log: a lane that is loaded goes on alike") {
    LaneStory story{two_stages()};
    story.control(at_most(150));
    for (int i = 0; i < 900; ++i) story.signal(signal_of(i % 7 == 6 ? "b" : "a", 20min * i / 5, account(i % 300)));
    story.take();
    auto loaded = Lane::load(two_stages(), {}, story.lane().save());
    REQUIRE(loaded.has_value());
    LaneStory resumed = story.resumed_with(std::move(loaded).value());
    for (LaneStory* one : {&story, &resumed}) {
        for (int i = 900; i < 1'500; ++i) one->signal(signal_of(i % 7 == 6 ? "b" : "a", 20min * i / 5, account(i % 300)));
        one->take();
    }
    CHECK(story.stored().status.evicted_signals > 0);
    CHECK(story.lane().state_hash() == resumed.lane().state_hash());
}
