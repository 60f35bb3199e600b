#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>

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
    story.control(at_most(200));  // of which one pattern may hold half
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

TEST_CASE("what finds no room in a window that several patterns have filled waits for all who want it") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}})), shared(pattern_of("q", {{"c"}, {"d"}})), shared(pattern_of("r", {{"e"}, {"f"}}))}};
    story.rematching(false).control(at_most(100));
    for (int i = 0; i < 50; ++i) story.signal(signal_of("a", 1s * i, account(i))).signal(signal_of("c", 1s * i, account(i)));
    CHECK(story.stored().status.turned_away_signals == 0);
    story.signal(signal_of("e", 60s, account(1)));
    CHECK(story.stored().status.window_signals == 100);
    CHECK(story.stored().status.turned_away_signals == 1);
}

namespace {

/// Wants what there is most of, for as long as can be.
std::shared_ptr<const Pattern> careless(Duration within) { return shared(pattern_of("careless", {{"noise"}, {"never"}}, within)); }

PatternHealth health_of(LaneStory& story, const std::string& pattern) {
    const auto health = story.lane().health(TenantId{1});
    REQUIRE(health);
    const auto found = std::find_if(health->patterns.begin(), health->patterns.end(), [&](const PatternHealth& one) { return one.pattern == pattern; });
    REQUIRE(found != health->patterns.end());
    return *found;
}

/// A signal of noise every minute, and every forty minutes the two stages of an attack.
void go_through(LaneStory& story, int from, int to) {
    for (int i = from; i < to; ++i) {
        story.signal(signal_of("noise", 1min * i, account(i % 97)));
        if (i % 40 == 5 || i % 40 == 15) story.signal(signal_of(i % 40 == 5 ? "a" : "b", 1min * i, account(i / 40)));
    }
}

std::vector<std::string> found_by_p(LaneStory& story) {
    std::vector<std::string> found;
    for (const FindingRecord& finding : story.stored().live_findings()) {
        if (finding.pattern == "p") found.push_back(to_string(finding.id.value()) + " " + std::to_string(finding.evidence_total));
    }
    return found;
}

}  // namespace

TEST_CASE("a careless pattern holds no more than its share, counted, and the others find what they would without it") {
    const auto p = shared(pattern_of("p", {{"a"}, {"b"}}, 2h));
    for (const auto within : {Duration{1h}, Duration{std::chrono::days{14}}}) {
        CAPTURE(within.count());
        LaneStory alone{{p}};
        LaneStory beside{{careless(within), p}};
        for (LaneStory* story : {&alone, &beside}) {
            story->rematching(false).control(at_most(400));
            go_through(*story, 0, 3'000);
        }
        CHECK(found_by_p(alone).size() == 75);
        CHECK(found_by_p(beside) == found_by_p(alone));
        const PatternHealth bad = health_of(beside, "careless");
        const PatternHealth good = health_of(beside, "p");
        CHECK(bad.held_most == 200);
        CHECK(bad.held <= 200);
        CHECK(good.evicted + good.turned_away == 0);
        const auto& status = beside.stored().status;
        if (within == Duration{1h}) CHECK(bad.evicted > 0);  // what is older than its within makes room
        else CHECK(bad.turned_away > 0);                     // all of it may still matter
        CHECK(status.evicted_signals == bad.evicted);
        CHECK(status.turned_away_signals == bad.turned_away);
        CHECK(status.window_signals < 400);
    }
}

TEST_CASE("a pattern that had to forget still finds what is new, the oldest being forgotten first") {
    LaneStory story{{careless(1h), shared(pattern_of("p", {{"a"}, {"b"}}, 2h))}};
    story.rematching(false).control(at_most(800));
    go_through(story, 0, 3'000);
    REQUIRE(health_of(story, "careless").evicted > 0);
    CHECK(health_of(story, "careless").turned_away == 0);
    story.signal(signal_of("never", 1min * 3'000, account(2'999 % 97)));
    const auto found = story.stored().live_findings();
    CHECK(std::any_of(found.begin(), found.end(), [](const FindingRecord& finding) { return finding.pattern == "careless"; }));
}

TEST_CASE("what one pattern turned away is matched again from the store") {
    LaneStory story{{careless(24h)}};
    story.control(at_most(100));
    for (int i = 0; i < 80; ++i) story.signal(signal_of("noise", 1s * i, account(i)));
    CHECK(health_of(story, "careless").held == 50);
    CHECK(health_of(story, "careless").turned_away == 30);
    story.signal(signal_of("never", 100s, account(79)));
    story.finish_rematches();
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().front().principals.front().value == account(79));
}

TEST_CASE("a pattern posted over a long history holds no more of it than its share") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}, 2h))}};
    story.rematching(false).control(at_most(400));
    go_through(story, 0, 3'000);
    const auto before = found_by_p(story);
    story.control(PatternChange{careless(std::chrono::days{14}), story_day()});
    CHECK(health_of(story, "careless").held <= 200);
    CHECK(health_of(story, "careless").turned_away > 0);
    CHECK(found_by_p(story) == before);
    CHECK(story.stored().status.window_signals < 400);
}

TEST_CASE("what one pattern forgets is a function of the log: a lane that is loaded goes on alike") {
    for (const auto within : {Duration{1h}, Duration{24h}}) {
        const Catalogue both{careless(within), shared(pattern_of("p", {{"a"}, {"b"}}, 2h))};
        LaneStory story{both};
        story.control(at_most(400));
        go_through(story, 0, 1'500);
        story.take();
        auto loaded = Lane::load(both, {}, story.lane().save());
        REQUIRE(loaded.has_value());
        LaneStory resumed = story.resumed_with(std::move(loaded).value());
        for (LaneStory* one : {&story, &resumed}) {
            go_through(*one, 1'500, 3'000);
            one->take();
        }
        CHECK(story.stored().status.evicted_signals + story.stored().status.turned_away_signals > 0);
        CHECK(story.lane().state_hash() == resumed.lane().state_hash());
    }
}
