#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

constexpr IncidentNumber first{1};
constexpr IncidentNumber second{2};
constexpr IncidentNumber third{3};

IncidentMerge merging(IncidentNumber into, std::vector<IncidentNumber> numbers) {
    return {.into = into, .numbers = std::move(numbers), .reason = "one intruder", .actor = "key-1"};
}
IncidentSplit splitting(IncidentNumber number, std::vector<FindingId> findings) {
    return {.number = number, .findings = std::move(findings), .reason = "another matter", .actor = "key-1"};
}
IncidentEdit status(IncidentNumber number, IncidentStatus status) {
    IncidentEdit edit;
    edit.number = number;
    edit.status = status;
    edit.actor = "key-1";
    return edit;
}

Catalogue one_pattern() { return {shared(pattern_of("p", {{"a"}, {"b"}}))}; }
/// p: a then b; q: b then c. One incident when one account does all three.
Catalogue overlapping() { return {shared(pattern_of("p", {{"a"}, {"b"}})), shared(pattern_of("q", {{"b"}, {"c"}}))}; }

LaneStory alice_and_bob() {
    LaneStory story{one_pattern()};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
    story.signal(signal_of("a", 20min, "bob")).signal(signal_of("b", 30min, "bob"));
    return story;
}

LaneStory two_findings() {
    LaneStory story{overlapping()};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice")).signal(signal_of("c", 20min, "alice"));
    return story;
}

FindingId finding_of(Stored& stored, const std::string& pattern) {
    for (const FindingRecord& finding : stored.live_findings()) {
        if (finding.pattern == pattern) return finding.id;
    }
    FAIL("no finding of ", pattern);
    return {};
}

std::string last_line(const Stored& stored, IncidentNumber number) {
    std::string line;
    for (const IncidentActivity& it : stored.activity) {
        if (it.number == number) line = it.what + " | " + it.actor + " | " + it.detail;
    }
    return line;
}

}  // namespace

TEST_CASE("incidents merged by hand are one, under the number that was named, and the other redirects") {
    for (const auto into : {first, second}) {
        LaneStory story = alice_and_bob();
        const IncidentNumber other = into == first ? second : first;
        CHECK(story.stored().live_incidents().size() == 2);
        story.control(merging(into, {other}));
        Stored& stored = story.stored();
        REQUIRE(stored.live_incidents().size() == 1);
        CHECK(stored.incidents.at(other).merged_into == into);
        CHECK(stored.incidents.at(into).finding_count == 2);
        CHECK(stored.incidents.at(into).signal_count == 4);
        CHECK(stored.incidents.at(into).principals.size() == 2);
        CHECK(last_line(stored, other) == "merged | key-1 | into incident " + std::to_string(into.value()) + ": one intruder");
        for (const FindingRecord& finding : stored.live_findings()) CHECK(finding.incident == into);
        // more evidence of either goes there
        story.signal(signal_of("b", 40min, "alice")).signal(signal_of("b", 50min, "bob"));
        CHECK(story.stored().incidents.at(into).signal_count == 6);
        CHECK(story.stored().live_incidents().size() == 1);
    }
}

TEST_CASE("a merge by hand outlives findings that are read again under another id") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}, {"c"}}))}};
    for (const std::string account : {"alice", "bob"}) {
        story.signal(signal_of("a", 60min, account)).signal(signal_of("b", 70min, account)).signal(signal_of("c", 80min, account));
    }
    const auto before = story.stored().live_findings();
    REQUIRE(before.size() == 2);
    story.control(merging(first, {second}));
    // an earlier instance of bob's chain: its last signal names the finding from now on
    story.signal(signal_of("c", 75min, "bob"));
    Stored& stored = story.stored();
    const auto after = stored.live_findings();
    REQUIRE(after.size() == 2);
    CHECK(std::count_if(after.begin(), after.end(), [&](const auto& it) { return it.id == before[0].id || it.id == before[1].id; }) == 1);
    for (const FindingRecord& finding : after) CHECK(finding.incident == first);
    CHECK(stored.live_incidents().size() == 1);
}

TEST_CASE("a new version of a pattern goes on with the merge") {
    LaneStory story = alice_and_bob();
    story.control(merging(first, {second}));
    Pattern next = pattern_of("p", {{"a"}, {"b"}}, 2h);
    next.version = 2;
    story.control(PatternChange{shared(next), story_day()});
    Stored& stored = story.stored();
    for (const FindingRecord& finding : stored.live_findings()) {
        CHECK(finding.version == 2);
        CHECK(finding.incident == first);
    }
    CHECK(stored.live_incidents().size() == 1);
}

TEST_CASE("a split by hand takes findings apart though they share evidence, and they stay apart") {
    LaneStory story = two_findings();
    REQUIRE(story.stored().live_incidents().size() == 1);
    for (const std::string leaving : {"p", "q"}) {
        CAPTURE(leaving);
        LaneStory again = two_findings();
        const std::string staying = leaving == "p" ? "q" : "p";
        again.control(splitting(first, {finding_of(again.stored(), leaving)}));
        Stored& stored = again.stored();
        REQUIRE(stored.live_incidents().size() == 2);
        CHECK(stored.incidents.at(first).patterns == std::vector{staying});  // the one that stays keeps the number
        CHECK(stored.incidents.at(second).patterns == std::vector{leaving});
        CHECK(stored.incidents.at(first).related == std::vector{second});
        CHECK(last_line(stored, second) == "split | key-1 | 1 finding from incident 1: another matter");
        CHECK(last_line(stored, first) == "split | key-1 | 1 finding to incident 2: another matter");
        // evidence that both gain does not bring them together
        again.signal(signal_of("b", 15min, "alice")).signal(signal_of("c", 40min, "alice"));
        CHECK(again.stored().live_incidents().size() == 2);
        CHECK(again.stored().incidents.at(IncidentNumber{1}).finding_count == 1);
        // a merge does
        again.control(merging(second, {first}));
        CHECK(again.stored().live_incidents().size() == 1);
        CHECK(again.stored().incidents.at(first).merged_into == second);
    }
}

TEST_CASE("what was split from a merged incident stays apart, the rest stays together") {
    LaneStory story{one_pattern()};
    for (const std::string account : {"alice", "bob", "carol"}) story.signal(signal_of("a", 0min, account)).signal(signal_of("b", 10min, account));
    story.control(merging(first, {second, third}));
    REQUIRE(story.stored().live_incidents().size() == 1);
    const auto findings = story.stored().live_findings();
    const auto of_bob = std::find_if(findings.begin(), findings.end(), [](const auto& it) { return it.principals.front().value == "bob"; });
    REQUIRE(of_bob != findings.end());
    story.control(splitting(first, {of_bob->id}));
    Stored& stored = story.stored();
    REQUIRE(stored.live_incidents().size() == 2);
    CHECK(stored.incidents.at(first).finding_count == 2);
    CHECK(stored.incidents.at(IncidentNumber{4}).principals == std::vector<EntityKey>{{"account", "bob"}});
}

TEST_CASE("closed, merged and unknown incidents are not merged or split; the history says why") {
    struct Case {
        std::string name;
        ControlBody body;
        std::string line;
    };
    LaneStory model = alice_and_bob();
    const auto findings = model.stored().live_findings();
    const FindingId unknown{};
    const Case cases[] = {
        {"closed", merging(first, {second}), "merge_refused | key-1 | incident 2 is closed; reopen it first"},
        {"unknown", merging(first, {IncidentNumber{9}}), "merge_refused | key-1 | there is no incident 9"},
        {"itself", merging(first, {first}), "merge_refused | key-1 | there is nothing to merge with"},
        {"all findings", splitting(first, {findings[0].id}), "split_refused | key-1 | at least one finding has to stay"},
        {"another's finding", splitting(first, {findings[1].id}), "split_refused | key-1 | some of the findings are not in incident 1"},
        {"no such finding", splitting(first, {unknown}), "split_refused | key-1 | some of the findings are not in incident 1"},
    };
    for (const Case& it : cases) {
        CAPTURE(it.name);
        LaneStory story = alice_and_bob();
        story.control(status(second, IncidentStatus::closed));
        const auto before = story.stored().incidents.at(first).revision;
        story.control(it.body);
        CHECK(last_line(story.stored(), first) == it.line);
        CHECK(story.stored().live_incidents().size() == 2);
        CHECK(story.stored().incidents.at(first).revision == before);
    }
    LaneStory story = alice_and_bob();
    story.control(merging(first, {second})).control(merging(first, {second}));
    CHECK(last_line(story.stored(), first) == "merge_refused | key-1 | incident 2 is part of incident 1");
}

TEST_CASE("a merged incident that is closed and reopened is one again; new evidence meanwhile makes one new incident, not two") {
    LaneStory story = alice_and_bob();
    story.control(merging(first, {second})).control(status(first, IncidentStatus::closed));
    story.signal(signal_of("b", 40min, "alice")).signal(signal_of("b", 50min, "bob"));
    Stored& stored = story.stored();
    REQUIRE(stored.live_incidents().size() == 2);
    CHECK(stored.incidents.at(third).finding_count == 2);
    CHECK(stored.incidents.at(third).related == std::vector{first});
    story.control(status(first, IncidentStatus::active));
    CHECK(story.stored().live_incidents().size() == 1);
    CHECK(story.stored().incidents.at(first).signal_count == 6);
}

TEST_CASE("comments and labels are part of the history; a comment is a new revision") {
    LaneStory story = alice_and_bob();
    story.control(IncidentComment{first, "seen this before", "key-2"});
    CHECK(story.stored().incidents.at(first).revision == 2);
    CHECK(last_line(story.stored(), first) == "commented | key-2 | seen this before");
    IncidentEdit edit;
    edit.number = first;
    edit.labels = {"drill", "vip"};
    edit.actor = "key-1";
    story.control(edit);
    CHECK(story.stored().incidents.at(first).labels == std::vector<std::string>{"drill", "vip"});
    CHECK(last_line(story.stored(), first) == "labels_changed | key-1 | drill and vip");
    edit.number = second;
    edit.labels = {"apt", "drill"};
    story.control(edit).control(merging(first, {second}));
    CHECK(story.stored().incidents.at(first).labels == std::vector<std::string>{"apt", "drill", "vip"});
}

TEST_CASE("how far apart incidents of one principal are related is a setting") {
    for (const auto within : {1h, 3h}) {
        LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}, 1h)), shared(pattern_of("q", {{"c"}, {"d"}}, 1h))}};
        SettingChange change;
        change.group_within = within;
        story.control(change);
        story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
        story.signal(signal_of("c", 130min, "alice")).signal(signal_of("d", 140min, "alice"));
        CHECK(story.stored().incidents.at(first).related.empty() == (within == 1h));
    }
}

TEST_CASE("an incident whose record was dropped from memory is still edited and commented on, and says why it cannot be merged") {
    LaneStory story{{shared(pattern_of("p", {{"a"}}, 1h))}};
    constexpr int many = 20'010;  // ten more than are kept
    SettingChange all_alone;
    all_alone.daily_incidents = many;
    story.control(all_alone);
    for (int i = 0; i < many; ++i) story.signal(signal_of("a", i * 1s, "user" + std::to_string(i)));
    story.stored();
    for (int day = 1; day <= 40; ++day) story.signal(signal_of("x", day * 24h, "other"));
    story.stored();
    IncidentEdit edit = status(first, IncidentStatus::closed);
    edit.classification = Classification::benign_positive;
    edit.owner = "carol";
    story.control(edit).control(IncidentComment{first, "late remark", "key-1"});
    Stored& stored = story.stored();
    CHECK(stored.stored_edits == 2);
    CHECK(stored.incidents.at(first).status == IncidentStatus::closed);
    CHECK(stored.incidents.at(first).owner == "carol");
    CHECK(stored.incidents.at(first).revision == 3);
    CHECK(stored.history(first) == std::vector<std::string>{"created", "status_changed", "classified", "owner_changed", "commented"});
    const IncidentNumber kept{many};
    story.control(status(kept, IncidentStatus::active));
    CHECK(story.stored().stored_edits == 2);
    CHECK(story.stored().incidents.at(kept).status == IncidentStatus::active);
    for (const auto number : {first, kept}) {
        story.control(merging(number, {IncidentNumber{many - 1}}));
        CHECK(last_line(story.stored(), number).find("ended before everything that is still correlated") != std::string::npos);
    }
}
