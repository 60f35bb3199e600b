#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

Pattern with_mode(Pattern pattern, Mode mode, std::int32_t version = 1) {
    pattern.mode = mode;
    pattern.version = version;
    return pattern;
}
Pattern two_stages() { return pattern_of("p", {{"a"}, {"b"}}); }
PatternChange posted(Pattern pattern, std::optional<Timestamp> effective_from = {}) { return {shared(std::move(pattern)), effective_from}; }

}  // namespace

TEST_CASE("a pattern posted after its signals finds them") {
    LaneStory story;
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    CHECK(story.stored().findings.empty());
    story.control(posted(two_stages()));
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().evidence.begin()->second.size() == 2);
    CHECK(story.stored().live_incidents().size() == 1);
    // and attempts in flight go on
    story.signal(signal_of("b", 20min, "alice"));
    CHECK(story.stored().evidence.begin()->second.size() == 3);
}

TEST_CASE("a pattern posted late uses the signals that another pattern holds already") {
    LaneStory story{{shared(pattern_of("other", {{"a"}, {"b"}}))}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    story.control(posted(two_stages()));
    CHECK(story.stored().status.window_signals == 2);
    CHECK(story.stored().live_findings().size() == 2);
    CHECK(story.stored().live_incidents().size() == 1);  // they share their evidence
}

TEST_CASE("a pattern posted again for less of the past replaces the stored evidence of what it had found") {
    const Pattern pattern = with_mode(two_stages(), Mode::flighting);
    Signal of_both = signal_of("b", 90min, "alice");
    of_both.entities.push_back({"account", "bob", "", true});
    LaneStory story{{shared(pattern)}};
    story.signal(signal_of("a", 60min, "alice")).signal(signal_of("a", 70min, "bob")).signal(signal_of("b", 80min, "bob")).signal(of_both);
    REQUIRE(story.stored().live_findings().at(0).evidence_total == 4);
    story.control(PatternChange{shared(pattern), {}, Mode::off}).signal(signal_of("x", 30 * 24h, "noise"));  // dropped from memory
    story.control(posted(pattern, story_day() + 85min));  // after the instance of 80 min, which was not the first of the finding
    const auto findings = story.stored().live_findings();
    REQUIRE(findings.size() == 1);
    CHECK(findings.at(0).evidence_total == 3);
    CHECK(story.stored().evidence.at(findings.at(0).id).size() == 3);
}

TEST_CASE("history is asked for back to what the first instance in force can reach") {
    LaneStory story;
    story.signal(signal_of("x", 100h, "alice"));  // watermark: 99 h
    const auto request = story.lane().history_for(TenantId{1}, posted(two_stages()));
    REQUIRE(request);
    CHECK(request->from == story_day() + 99h - 24h - 24h);
    CHECK(request->to == story_day() + 100h);
    CHECK_FALSE(story.lane().history_for(TenantId{1}, posted(with_mode(two_stages(), Mode::off))));
    CHECK_FALSE(story.lane().history_for(TenantId{2}, posted(two_stages())));
    CHECK_FALSE(story.lane().history_for(TenantId{1}, Tick{}));
}

TEST_CASE("a pattern is in force from its effective time on") {
    for (const auto effective : {30min, 31min}) {
        LaneStory story;
        story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 31min, "alice"));
        story.control(posted(two_stages(), story_day() + effective));
        CHECK(story.stored().live_findings().size() == (effective == 30min ? 1U : 0U));  // strictly after
    }
}

TEST_CASE("a pattern posted as flighting is recorded and makes no incident") {
    LaneStory story;
    story.control(posted(with_mode(two_stages(), Mode::flighting)));
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().at(0).mode == Mode::flighting);
    CHECK_FALSE(story.stored().live_findings().at(0).incident);
    CHECK(story.stored().incidents.empty());
}

TEST_CASE("a flighting pattern that is put into production brings its findings along") {
    LaneStory story;
    story.control(posted(with_mode(two_stages(), Mode::flighting)));
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    story.stored();
    story.control(posted(two_stages()));
    CHECK(story.stored().live_findings().at(0).mode == Mode::production);
    CHECK(story.stored().live_findings().at(0).incident == IncidentNumber{1});
    CHECK(story.stored().live_incidents().size() == 1);
}

TEST_CASE("a pattern that is switched off keeps what it found and finds no more") {
    LaneStory story{{shared(two_stages())}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    story.control(posted(with_mode(two_stages(), Mode::off)));
    story.signal(signal_of("a", 20min, "bob")).signal(signal_of("b", 30min, "bob"));
    CHECK(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_incidents().at(0).status == IncidentStatus::new_);
    // and on again: what it missed is derived, what it had keeps its place
    story.control(posted(two_stages()));
    CHECK(story.stored().live_findings().size() == 2);
    CHECK(story.stored().live_incidents().size() == 2);
    CHECK(story.stored().live_incidents().at(0).number == IncidentNumber{1});
}

TEST_CASE("a new version takes over the findings in its span; their incident goes on") {
    LaneStory story{{shared(two_stages())}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    const FindingId former = story.stored().live_findings().at(0).id;
    Pattern second = with_mode(pattern_of("p", {{"a"}, {"b"}}, 12h), Mode::production, 2);
    story.control(posted(second));
    Stored& stored = story.stored();
    REQUIRE(stored.live_findings().size() == 1);
    const FindingRecord now = stored.live_findings().at(0);
    CHECK(now.version == 2);
    CHECK(now.id != former);
    CHECK(stored.findings.at(former).state == FindingState::superseded);
    CHECK(stored.findings.at(former).superseded_by == now.id);
    CHECK(now.incident == IncidentNumber{1});
    CHECK(stored.incidents.size() == 1);
}

TEST_CASE("an incident whose findings a new version does not make any more is closed, not deleted") {
    LaneStory story{{shared(two_stages())}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    story.control(posted(with_mode(pattern_of("p", {{"a"}, {"c"}}), Mode::production, 2)));
    Stored& stored = story.stored();
    CHECK(stored.live_findings().empty());
    REQUIRE(stored.incidents.size() == 1);
    CHECK(stored.incidents.at(IncidentNumber{1}).status == IncidentStatus::closed);
    CHECK_FALSE(stored.incidents.at(IncidentNumber{1}).classification);
    CHECK(stored.incidents.at(IncidentNumber{1}).signal_count == 2);  // as it was
    CHECK(stored.history(IncidentNumber{1}) == std::vector<std::string>{"created", "status_changed", "finding_superseded"});
}

TEST_CASE("what ended before a new version's effective time stays with the former version") {
    LaneStory story{{shared(two_stages())}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    story.control(posted(with_mode(pattern_of("p", {{"a"}, {"c"}}), Mode::production, 2), story_day() + 10min));
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().at(0).version == 1);
    story.signal(signal_of("b", 11min, "alice"));  // the former version takes no more
    CHECK(story.stored().live_findings().at(0).evidence_total == 2);
}

TEST_CASE("a flighting version runs beside the one in production") {
    LaneStory story{{shared(two_stages())}};
    story.control(posted(with_mode(pattern_of("p", {{"a"}, {"c"}}), Mode::flighting, 2)));
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice")).signal(signal_of("c", 11min, "alice"));
    const auto live = story.stored().live_findings();
    REQUIRE(live.size() == 2);
    CHECK(story.stored().live_incidents().size() == 1);
    // promoted, it ends the other
    story.control(posted(with_mode(pattern_of("p", {{"a"}, {"c"}}), Mode::production, 2)));
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().at(0).version == 2);
    CHECK(story.stored().live_findings().at(0).incident == IncidentNumber{1});
}

TEST_CASE("the mode of a deployment wins over the mode of a pattern that many tenants share") {
    const auto pattern = shared(two_stages());
    LaneStory story{{pattern}};
    PatternChange off{pattern, {}, Mode::off};
    story.control(off);
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    CHECK(story.stored().live_findings().empty());
    story.tenant(2).signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    CHECK(story.stored(TenantId{2}).live_findings().size() == 1);  // said nothing, so it runs there
    PatternChange on{pattern, {}, Mode::production};
    story.tenant(1).control(on);
    CHECK(story.stored().live_findings().size() == 1);
}

TEST_CASE("a version put between two stages of a chain in flight still finds it, from what is stored") {
    for (const bool by_trial : {false, true}) {
        CAPTURE(by_trial);
        LaneStory story{{shared(two_stages())}};
        story.signal(signal_of("a", 0min, "alice"));
        const auto second = with_mode(pattern_of("p", {{"a"}, {"b"}}, 12h), by_trial ? Mode::flighting : Mode::production, 2);
        story.control(posted(second));
        if (by_trial) story.signal(signal_of("x", 5min, "alice")).control(posted(with_mode(second, Mode::production, 2)));
        story.signal(signal_of("b", 10min, "alice"));
        REQUIRE(story.stored().live_findings().size() == 1);
        CHECK(story.stored().live_findings().at(0).version == 2);
        CHECK(story.stored().live_findings().at(0).mode == Mode::production);
        CHECK(story.stored().evidence.at(story.stored().live_findings().at(0).id).size() == 2);
        CHECK(story.stored().live_incidents().size() == 1);
    }
}

TEST_CASE("a former version that is put back between two stages finds the chain, and has its findings again") {
    LaneStory story{{shared(two_stages())}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    const FindingId former = story.stored().live_findings().at(0).id;
    story.control(posted(with_mode(pattern_of("p", {{"a"}, {"c"}}), Mode::production, 2)));
    story.signal(signal_of("a", 20min, "bob"));
    CHECK(story.stored().live_findings().empty());
    story.control(posted(two_stages()));
    story.signal(signal_of("b", 30min, "bob"));
    REQUIRE(story.stored().live_findings().size() == 2);
    CHECK(story.stored().live_findings().at(0).id == former);
    CHECK(story.stored().live_findings().at(1).evidence_total == 2);
}

TEST_CASE("a trial is ended by what is in production coming into production once more, which changes nothing of its own") {
    LaneStory story{{shared(two_stages())}};
    story.control(posted(with_mode(pattern_of("p", {{"a"}, {"c"}}), Mode::flighting, 2)));
    story.signal(signal_of("a", 0min, "alice"));
    story.control(posted(two_stages()));
    story.signal(signal_of("b", 10min, "alice")).signal(signal_of("c", 11min, "alice"));
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().at(0).version == 1);
    CHECK(story.stored().live_findings().at(0).incident == IncidentNumber{1});
}

TEST_CASE("another version on trial ends the one before it and leaves production alone") {
    LaneStory story{{shared(two_stages())}};
    story.control(posted(with_mode(pattern_of("p", {{"a"}, {"c"}}), Mode::flighting, 2)));
    story.signal(signal_of("a", 0min, "alice"));
    story.control(posted(with_mode(pattern_of("p", {{"a"}, {"d"}}), Mode::flighting, 3)));
    for (const auto* name : {"b", "c", "d"}) story.signal(signal_of(name, 10min, "alice"));
    std::vector<int> versions;
    for (const auto& finding : story.stored().live_findings()) versions.push_back(finding.version);
    std::sort(versions.begin(), versions.end());
    CHECK(versions == std::vector<int>{1, 3});
}

TEST_CASE("a tenant's own pattern takes the place of what ships under its id and number, and is in force alone") {
    LaneStory story{{shared(two_stages())}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice")).signal(signal_of("c", 11min, "bob")).signal(signal_of("a", 9min, "bob"));
    REQUIRE(story.stored().live_findings().size() == 1);
    const Pattern own = pattern_of("p", {{"a"}, {"c"}});
    REQUIRE(story.lane().history_for(TenantId{1}, posted(own)));
    story.control(posted(own));
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().front().principals == std::vector<EntityKey>{{"account", "bob"}});
    story.signal(signal_of("b", 20min, "alice")).signal(signal_of("c", 21min, "alice"));
    CHECK(story.stored().live_findings().size() == 2);
    CHECK(story.lane().health(TenantId{1})->patterns.size() == 1);
    story.control(posted(own));  // is in force
    CHECK_FALSE(story.lane().history_for(TenantId{1}, posted(own)));
    story.control(posted(with_mode(own, Mode::off)));
    CHECK(story.lane().health(TenantId{1})->patterns.empty());
}

TEST_CASE("a tenant's own pattern that begins with the same signal as what ships under its id takes over its finding's name") {
    LaneStory story{{shared(two_stages())}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("c", 5min, "alice")).signal(signal_of("b", 10min, "alice"));
    const FindingId former = story.stored().live_findings().front().id;
    story.control(posted(pattern_of("p", {{"c"}, {"b"}})));
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().front().id == former);
    CHECK(story.stored().live_findings().front().start == story_day() + 5min);
    CHECK(story.stored().evidence.at(former).size() == 2);
    const auto incidents = story.stored().live_incidents();
    REQUIRE(incidents.size() == 2);
    CHECK(incidents.front().status == IncidentStatus::closed);
    CHECK(story.stored().live_findings().front().incident == incidents.back().number);
}
