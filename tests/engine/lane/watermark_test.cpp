#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

Catalogue two_stages() { return {shared(pattern_of("p", {{"a"}, {"b"}}))}; }
SettingChange lateness(Duration duration) { return {.lateness = duration, .base_rate = {}, .unlinkable_limit = {}, .group_within = {}, .window_signals = {}}; }

}  // namespace

TEST_CASE("the watermark is the newest event minus the lateness") {
    LaneStory story{two_stages()};
    CHECK_FALSE(story.stored().status.watermark);
    story.signal(signal_of("x", 5h, "alice"));
    CHECK(story.stored().status.watermark == story_day() + 4h);
    story.signal(signal_of("x", 4h + 30min, "alice"));
    CHECK(story.stored().status.watermark == story_day() + 4h);
    CHECK(story.stored().status.newest == story_day() + 5h);
}

TEST_CASE("a signal exactly at the watermark is not late, one before it is, and is matched") {
    LaneStory story{two_stages()};
    story.signal(signal_of("x", 5h, "alice"));
    story.signal(signal_of("a", 4h, "alice"));
    CHECK(story.stored().late.empty());
    story.signal(signal_of("b", 4h - 1us, "bob"));
    CHECK(story.stored().late.size() == 1);
    CHECK(story.stored().status.late == 1);
    story.signal(signal_of("a", 3h, "bob"));
    CHECK(story.stored().status.late == 2);
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().at(0).principals.front().value == "bob");
}

TEST_CASE("a clock that runs ahead cannot move the watermark beyond admission") {
    LaneStory story{two_stages()};
    Signal ahead = signal_of("x", 9h, "alice");
    story.entry({Position{1}, TenantId{1}, story_day() + 5h, ahead});
    CHECK(story.stored().status.watermark == story_day() + 4h);
}

TEST_CASE("a tick moves the watermark of a tenant that has signals") {
    LaneStory story{two_stages()};
    story.at(story_day() + 2h).control(Tick{});
    CHECK_FALSE(story.stored().status.watermark);
    story.signal(signal_of("x", 2h, "alice"));
    story.at(story_day() + 6h).control(Tick{});
    CHECK(story.stored().status.watermark == story_day() + 5h);
}

TEST_CASE("a watermark call sets the watermark, never back, and a hold stops it until the next call") {
    LaneStory story{two_stages()};
    story.signal(signal_of("x", 5h, "alice"));
    story.control(WatermarkCall{story_day() + 3h, false});
    CHECK(story.stored().status.watermark == story_day() + 4h);
    story.control(WatermarkCall{story_day() + 6h, true});
    CHECK(story.stored().status.watermark == story_day() + 6h);
    CHECK(story.stored().status.held);
    story.signal(signal_of("x", 20h, "alice"));
    story.at(story_day() + 30h).control(Tick{});
    CHECK(story.stored().status.watermark == story_day() + 6h);
    story.control(WatermarkCall{story_day() + 7h, false});
    CHECK(story.stored().status.watermark == story_day() + 7h);
    story.signal(signal_of("x", 20h + 1s, "alice"));
    CHECK(story.stored().status.watermark == story_day() + 29h);  // the tick counts now
}

TEST_CASE("lateness is a setting, judged at the signal's position") {
    LaneStory story{two_stages()};
    story.control(lateness(10min)).signal(signal_of("x", 5h, "alice"));
    CHECK(story.stored().status.watermark == story_day() + 4h + 50min);
    story.signal(signal_of("a", 4h + 45min, "alice"));
    CHECK(story.stored().late.size() == 1);
    story.control(lateness(6h)).signal(signal_of("a", 4h + 44min, "alice"));
    CHECK(story.stored().late.size() == 2);  // the watermark does not move back
    CHECK(story.stored().status.lateness == Duration{6h});
}

TEST_CASE("a signal behind the horizon is marked, counted and waits to be matched again") {
    LaneStory story{two_stages()};  // within 24 h: the horizon lies 48 h before the watermark
    story.rematching(false);
    story.signal(signal_of("x", 100h, "alice"));
    story.signal(signal_of("a", 51h, "bob")).signal(signal_of("b", 51h, "bob"));
    CHECK(story.stored().status.behind_horizon == 0);
    CHECK(story.stored().live_findings().size() == 1);
    story.signal(signal_of("a", 51h - 1us, "carol")).signal(signal_of("b", 51h, "carol"));
    CHECK(story.stored().status.behind_horizon == 1);
    CHECK(story.stored().late.contains({story_day() + 51h - 1us, "source_of_a", signal_of("a", 51h - 1us, "carol").id}));
    CHECK(story.stored().live_findings().size() == 1);
    CHECK(story.stored().awaiting.size() == 1);
    CHECK(story.stored().status.rematch_backlog == 1);
    CHECK(story.stored().status.oldest_rematch_waiting == story_day() + 51h - 1us);
}

TEST_CASE("what the horizon leaves behind is dropped from memory and stays in the digest") {
    LaneStory story{two_stages()};
    story.signal(signal_of("a", 0h, "alice")).signal(signal_of("b", 1h, "alice"));
    const std::string digest = story.digest();
    CHECK(story.stored().status.window_signals == 2);
    for (int day = 1; day <= 8; ++day) story.signal(signal_of("x", std::chrono::hours{24 * day}, "alice"));
    CHECK(story.stored().status.window_signals == 0);
    CHECK(story.digest() == digest);
    CHECK(story.stored().live_incidents().size() == 1);
    // its incident can still be edited
    story.control(IncidentEdit{.number = IncidentNumber{1},
                               .status = IncidentStatus::closed,
                               .classification = Classification::true_positive,
                               .reason = {},
                               .owner = "alice",
                               .title = {},
                               .severity = {},
                               .labels = {},
                               .actor = "key"});
    CHECK(story.stored().incidents.at(IncidentNumber{1}).status == IncidentStatus::closed);
    CHECK(story.stored().incidents.at(IncidentNumber{1}).signal_count == 2);
}
