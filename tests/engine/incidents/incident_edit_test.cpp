#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

constexpr IncidentNumber first{1};
constexpr IncidentNumber second{2};

IncidentEdit edit_of(IncidentNumber number) {
    return {.number = number, .status = {}, .classification = {}, .reason = {}, .owner = {}, .title = {}, .severity = {}, .labels = {}, .actor = "key-1"};
}
IncidentEdit closing(IncidentNumber number) {
    IncidentEdit edit = edit_of(number);
    edit.status = IncidentStatus::closed;
    edit.classification = Classification::false_positive;
    edit.reason = "a test of our own";
    return edit;
}
IncidentEdit status(IncidentNumber number, IncidentStatus status) {
    IncidentEdit edit = edit_of(number);
    edit.status = status;
    return edit;
}

/// One incident of alice.
LaneStory one_incident() {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    return story;
}

}  // namespace

TEST_CASE("an edit changes what it names, and each change is in the history with its author") {
    LaneStory story = one_incident();
    IncidentEdit edit = edit_of(first);
    edit.status = IncidentStatus::active;
    edit.owner = "bob";
    edit.title = "Alice's mailbox";
    edit.severity = Severity::low;
    story.at(story_day() + 2h).control(edit);
    const IncidentRecord record = story.stored().incidents.at(first);
    CHECK(record.status == IncidentStatus::active);
    CHECK(record.owner == "bob");
    CHECK(record.title == "Alice's mailbox");
    CHECK(record.severity == Severity::low);
    CHECK(record.revision == 2);
    CHECK(record.updated == story_day() + 2h);
    CHECK(story.stored().history(first) == std::vector<std::string>{"created", "status_changed", "owner_changed", "title_changed", "severity_changed"});
    const IncidentActivity& line = story.stored().activity.back();
    CHECK(line.actor == "key-1");
    CHECK(line.position == Position{3});
    CHECK(line.at == story_day() + 2h);
}

TEST_CASE("an edited title and severity outlive further evidence") {
    LaneStory story = one_incident();
    IncidentEdit edit = edit_of(first);
    edit.title = "Alice's mailbox";
    edit.severity = Severity::low;
    story.control(edit).signal(signal_of("b", 20min, "alice"));
    CHECK(story.stored().incidents.at(first).title == "Alice's mailbox");
    CHECK(story.stored().incidents.at(first).severity == Severity::low);
    CHECK(story.stored().incidents.at(first).signal_count == 3);
}

TEST_CASE("an edit that changes nothing leaves no line; one of an unknown incident changes nothing") {
    LaneStory story = one_incident();
    story.stored();
    story.control(status(first, IncidentStatus::new_)).control(closing(IncidentNumber{99}));
    CHECK(story.stored().history(first) == std::vector<std::string>{"created"});
    CHECK(story.stored().incidents.size() == 1);
}

TEST_CASE("new evidence after closing makes a new incident that names the closed one") {
    LaneStory story = one_incident();
    story.control(closing(first));
    const FindingId before = story.stored().live_findings().at(0).id;
    story.signal(signal_of("b", 20min, "alice"));
    Stored& stored = story.stored();
    REQUIRE(stored.incidents.size() == 2);
    const IncidentRecord closed = stored.incidents.at(first);
    const IncidentRecord fresh = stored.incidents.at(second);
    CHECK(closed.status == IncidentStatus::closed);
    CHECK(closed.classification == Classification::false_positive);
    CHECK(closed.classification_reason == "a test of our own");
    CHECK(closed.signal_count == 2);
    CHECK(closed.related == std::vector<IncidentNumber>{second});
    CHECK(fresh.status == IncidentStatus::new_);
    CHECK(fresh.signal_count == 3);
    CHECK(fresh.related == std::vector<IncidentNumber>{first});
    // the closed incident keeps its finding and evidence, the new one has a finding that tells the whole story
    CHECK(stored.findings.at(before).incident == first);
    CHECK(stored.evidence.at(before).size() == 2);
    const auto live = stored.live_findings();
    const auto continuation = std::find_if(live.begin(), live.end(), [&](const auto& it) { return it.id != before; });
    REQUIRE(continuation != live.end());
    CHECK(continuation->incident == second);
    CHECK(stored.evidence.at(continuation->id).size() == 3);

    // what comes next goes to the new one
    story.signal(signal_of("b", 30min, "alice"));
    CHECK(story.stored().incidents.at(first).signal_count == 2);
    CHECK(story.stored().incidents.at(second).signal_count == 4);
    CHECK(story.stored().incidents.size() == 2);
    // and when that is closed as well, to a third
    story.control(closing(second)).signal(signal_of("b", 40min, "alice"));
    CHECK(story.stored().incidents.size() == 3);
    CHECK(story.stored().incidents.at(IncidentNumber{3}).related == std::vector<IncidentNumber>{first, second});
}

TEST_CASE("another pattern's finding does not join a closed incident, but is related to it") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}})), shared(pattern_of("q", {{"b"}, {"c"}}))}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice")).control(closing(first));
    story.signal(signal_of("c", 20min, "alice"));
    REQUIRE(story.stored().incidents.size() == 2);
    CHECK(story.stored().incidents.at(second).related == std::vector<IncidentNumber>{first});
    CHECK(story.stored().incidents.at(second).patterns == std::vector<std::string>{"q"});
    CHECK(story.stored().incidents.at(first).finding_count == 1);
}

TEST_CASE("a finding that brings nothing a closed incident does not have joins that one quietly") {
    LaneStory story = one_incident();
    story.control(closing(first)).control(PatternChange{shared(pattern_of("q", {{"a"}, {"b"}})), {}});
    CHECK(story.stored().incidents.size() == 1);
    CHECK(story.stored().incidents.at(first).finding_count == 2);
    CHECK(story.stored().incidents.at(first).status == IncidentStatus::closed);
}

TEST_CASE("a reopened incident takes its later evidence back, and the one made meanwhile redirects") {
    LaneStory story = one_incident();
    story.control(closing(first)).signal(signal_of("b", 20min, "alice"));
    story.stored();
    story.control(status(first, IncidentStatus::active));
    Stored& stored = story.stored();
    CHECK(stored.incidents.at(first).status == IncidentStatus::active);
    CHECK_FALSE(stored.incidents.at(first).classification);
    CHECK(stored.incidents.at(first).signal_count == 3);
    CHECK(stored.incidents.at(second).merged_into == first);
    CHECK(stored.incidents.at(first).related.empty());
    REQUIRE(stored.live_findings().size() == 1);
    CHECK(stored.live_findings().at(0).evidence_total == 3);
    CHECK(stored.evidence.at(stored.live_findings().at(0).id).size() == 3);
    story.signal(signal_of("b", 30min, "alice"));
    CHECK(story.stored().incidents.at(first).signal_count == 4);
    CHECK(story.stored().live_incidents().size() == 1);
}

TEST_CASE("an edit of a redirected number reaches the incident that goes on") {
    LaneStory story = one_incident();
    story.control(closing(first)).signal(signal_of("b", 20min, "alice")).control(status(first, IncidentStatus::active));
    IncidentEdit edit = edit_of(second);
    edit.owner = "carol";
    story.control(edit);
    CHECK(story.stored().incidents.at(first).owner == "carol");
    CHECK(story.stored().incidents.at(second).merged_into == first);
}
