#include "engine/lane/rematches.hpp"
#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

// Signals that come when their time has been forgotten. `tests/property/rematch_test.cpp` holds what is found so to the definitions.

namespace {

Catalogue two_stages() { return {shared(pattern_of("p", {{"a"}, {"b"}}, 4h))}; }  // the horizon lies 28 h before the watermark

/// Thirty days later than what the story tells.
LaneStory month_later(Catalogue shipped = two_stages()) {
    LaneStory story{std::move(shipped)};
    story.signal(signal_of("x", 30 * 24h, "noise"));
    return story;
}

RematchAnswer with(std::vector<Signal> signals) {
    RematchAnswer answer;
    for (Signal& signal : signals) answer.signals.push_back({Position{1}, signal.time, std::move(signal), true});
    return answer;
}

}  // namespace

TEST_CASE("signals behind the horizon are found together, and make an incident") {
    LaneStory story = month_later();
    story.signal(signal_of("b", 2h, "alice"));
    CHECK(story.stored().live_findings().empty());
    story.signal(signal_of("a", 1h, "alice")).signal(signal_of("a", 1h, "bob"));
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().at(0).evidence_total == 2);
    CHECK(story.stored().live_findings().at(0).incident == IncidentNumber{1});
    CHECK(story.stored().awaiting.empty());
    CHECK(story.stored().status.behind_horizon == 3);
    CHECK(story.stored().status.rematches.made == 3);
}

TEST_CASE("a re-match names the pattern, the entities, the interval and the entries that it wants") {
    LaneStory story = month_later();
    story.rematching(false).signal(signal_of("b", 50h, "alice"));
    REQUIRE(story.lane().wants_rematch());
    const auto request = story.lane().rematch_request();
    REQUIRE(request);
    CHECK(request->pattern->id == "p");
    CHECK(request->entities == std::vector<EntityKey>{{"account", "alice"}});
    CHECK(request->from == story_day() + 42h);
    CHECK(request->to == story_day() + 58h);
    CHECK(request->through == Position{2});
    story.lane().rematch(with({signal_of("b", 50h, "alice")}));
    CHECK_FALSE(story.lane().wants_rematch());
}

TEST_CASE("a re-match reads on until nothing shares a signal with what it found") {
    LaneStory story = month_later();
    story.rematching(false).signal(signal_of("b", 50h, "alice"));
    REQUIRE(story.lane().rematch_request());
    story.lane().rematch(with({signal_of("a", 48h, "alice"), signal_of("b", 50h, "alice"), signal_of("b", 52h, "alice")}));
    CHECK_FALSE(story.lane().wants_rematch());  // from 48 h to 52 h, and what reaches 4 h further was read
    story.signal(signal_of("b", 60h, "alice"));
    REQUIRE(story.lane().rematch_request());
    auto whole = with({signal_of("a", 56h, "alice"), signal_of("b", 60h, "alice"), signal_of("b", 60h + 1min, "alice")});
    Signal both = signal_of("b", 59h, "alice");
    both.entities.push_back({"account", "bob", "", true});
    whole.signals.insert(whole.signals.begin() + 1, {Position{1}, both.time, both, true});
    story.lane().rematch(whole);
    const auto wider = story.lane().rematch_request();
    REQUIRE(wider);
    CHECK(wider->entities == std::vector<EntityKey>{{"account", "alice"}, {"account", "bob"}});
    story.lane().rematch(whole);
    CHECK(story.stored().live_findings().size() == 2);
    CHECK(story.stored().status.rematches.made == 2);
    CHECK(story.stored().status.rematches.signals == 3 + 4 + 4);
}

TEST_CASE("so many re-matches are made in a minute of admission; the others wait, are counted, and are made in the minutes that follow") {
    LaneStory story = month_later();
    constexpr auto most = RematchAllowance::most_a_minute;
    for (int i = 0; i < most + 60; ++i) story.signal(signal_of("a", i * 1s, "account" + std::to_string(i)));
    CHECK(story.stored().status.rematches.made == most);
    CHECK(story.stored().status.rematch_backlog == 60);
    CHECK(story.stored().status.oldest_rematch_waiting == story_day() + most * 1s);
    CHECK(story.stored().awaiting.size() == 60);
    story.at(story_day() + 30 * 24h + 1min).control(SettingChange{});
    CHECK(story.stored().status.rematches.made == most + 2);  // fifty at once
    CHECK(story.stored().status.rematch_backlog == 0);
    CHECK_FALSE(story.stored().status.oldest_rematch_waiting);
    CHECK(story.stored().awaiting.empty());
}

TEST_CASE("where there is too much to read signals are matched one by one, and given up where even that is too much") {
    LaneStory story = month_later();
    constexpr auto most = RematchAllowance::most_a_minute;
    for (int i = 0; i < most; ++i) story.signal(signal_of("x", 0h, "")).signal(signal_of("a", i * 1s, "first"));
    story.rematching(false).signal(signal_of("a", 1h, "alice")).signal(signal_of("a", 2h, "bob"));
    story.at(story_day() + 30 * 24h + 1min).control(SettingChange{});
    const auto both = story.lane().rematch_request();
    REQUIRE(both);
    CHECK(both->entities.size() == 2);
    RematchAnswer too_many;
    too_many.too_many = true;
    story.lane().rematch(too_many);
    const auto one = story.lane().rematch_request();
    REQUIRE(one);
    CHECK(one->entities == std::vector<EntityKey>{{"account", "alice"}});
    story.lane().rematch(too_many);
    CHECK(story.stored().status.rematches.given_up == 1);
    CHECK(story.stored().status.rematch_backlog == 1);
    const auto other = story.lane().rematch_request();
    REQUIRE(other);
    CHECK(other->entities == std::vector<EntityKey>{{"account", "bob"}});
    story.lane().rematch(with({signal_of("a", 2h, "bob")}));
    CHECK_FALSE(story.lane().rematch_request());
    CHECK(story.stored().status.rematch_backlog == 0);
    CHECK(story.stored().awaiting == std::set<SignalRef>{{story_day() + 1h, "source_of_a", signal_of("a", 1h, "alice").id}});  // as long as it is stored
}

TEST_CASE("a finding of what is no longer whole in the store is counted") {
    LaneStory story = month_later();
    story.rematching(false).signal(signal_of("b", 50h, "alice"));
    REQUIRE(story.lane().rematch_request());
    auto answer = with({signal_of("a", 48h, "alice"), signal_of("b", 50h, "alice")});
    answer.is_whole = false;
    story.lane().rematch(answer);
    CHECK(story.stored().live_findings().size() == 1);
    CHECK(story.stored().status.rematches.cut == 1);
}

TEST_CASE("what comes behind the horizon for an incident that ended makes an incident of its own, with all evidence, related to that one") {
    LaneStory story{two_stages()};
    story.signal(signal_of("a", 1h, "alice")).signal(signal_of("b", 2h, "alice"));
    const auto former = story.stored().live_findings().at(0);
    story.signal(signal_of("x", 30 * 24h, "noise"));
    story.signal(signal_of("b", 3h, "alice"));
    const auto findings = story.stored().live_findings();
    REQUIRE(findings.size() == 2);
    const auto& continued = findings.at(0).id == former.id ? findings.at(1) : findings.at(0);
    CHECK(continued.evidence_total == 3);
    CHECK(continued.incident == IncidentNumber{2});
    CHECK(story.stored().findings.at(former.id).evidence_total == 2);
    CHECK(story.stored().findings.at(former.id).incident == IncidentNumber{1});
    CHECK(story.stored().incidents.at(IncidentNumber{1}).related == std::vector<IncidentNumber>{IncidentNumber{2}});
    CHECK(story.stored().incidents.at(IncidentNumber{2}).related == std::vector<IncidentNumber>{IncidentNumber{1}});
    story.signal(signal_of("b", 3h + 1min, "alice"));
    CHECK(story.stored().live_findings().size() == 2);  // the continuation grows as long as it is in memory
    CHECK(story.stored().findings.at(continued.id).evidence_total == 4);
}

TEST_CASE("what is found again of a finding that is no longer in memory replaces all its stored evidence, whenever effects are taken") {
    Pattern pattern = pattern_of("p", {{"e"}, {"e or a"}}, 4h);
    pattern.stages.at(1).match = Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, {"e", "a"}}).value();
    pattern.mode = Mode::flighting;  // what is in no incident is found again under its id
    const Signal earlier = signal_of("e", 1h, "alice");
    const Signal later = signal_of("e", 2h, "alice");
    const Signal last = signal_of("a", 3h, "alice");
    const auto ref = [](const Signal& signal) { return SignalRef{signal.time, signal.source, signal.id}; };
    for (const bool is_taken_between : {true, false}) {
        CAPTURE(is_taken_between);
        LaneStory story{{shared(pattern)}};
        story.signal(earlier).signal(later);
        if (is_taken_between) REQUIRE(story.stored().evidence.begin()->second.at(ref(later)) == "e or a");
        story.signal(signal_of("x", 30 * 24h, "noise"));
        story.signal(last);  // the second stage, so that the later of the others may serve the first
        const Stored& stored = story.stored();
        REQUIRE(stored.findings.size() == 1);
        CHECK(stored.evidence.begin()->second == std::map<SignalRef, std::string>{{ref(earlier), "e"}, {ref(later), "e"}, {ref(last), "e or a"}});
    }
}

TEST_CASE("what goes beyond a closed incident does not take the place of a continuation whose incident ended") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}, 4h)), shared(pattern_of("q", {{"b"}, {"c"}}, 24h))}};
    story.signal(signal_of("a", 1h, "alice")).signal(signal_of("b", 2h, "alice")).signal(signal_of("c", 20h, "alice"));
    REQUIRE(story.stored().incidents.at(IncidentNumber{1}).finding_count == 2);
    IncidentEdit close;
    close.number = IncidentNumber{1};
    close.actor = "key";
    close.status = IncidentStatus::closed;
    story.control(close).signal(signal_of("a", 1h + 30min, "alice"));
    REQUIRE(story.stored().findings.size() == 3);
    story.signal(signal_of("x", 81h, "noise"));  // the second incident, of activity until 2 h, is dropped from memory, the first one is not
    story.signal(signal_of("a", 1h + 10min, "alice"));
    std::map<IncidentNumber, std::vector<std::int64_t>> evidence;
    for (const auto& [id, finding] : story.stored().findings) {
        REQUIRE(finding.incident);
        evidence[*finding.incident].push_back(finding.evidence_total);
        CHECK(story.stored().evidence.at(id).size() == static_cast<std::size_t>(finding.evidence_total));
    }
    CHECK(evidence == std::map<IncidentNumber, std::vector<std::int64_t>>{{IncidentNumber{1}, {2, 2}}, {IncidentNumber{2}, {3}}, {IncidentNumber{3}, {4}}});
}

TEST_CASE("a finding that goes on where the matcher still looks keeps what came behind the horizon for it") {
    LaneStory story{two_stages()};
    story.signal(signal_of("a", 49h, "alice")).signal(signal_of("b", 52h, "alice"));
    story.signal(signal_of("x", 80h, "noise"));  // the horizon lies at 51 h
    story.signal(signal_of("a", 50h, "alice"));
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().at(0).evidence_total == 3);
    story.signal(signal_of("b", 53h, "alice"));  // the matcher itself has not the signal of 50 h
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().at(0).evidence_total == 4);
    CHECK(story.stored().live_incidents().size() == 1);
}

TEST_CASE("what waits to be matched again is part of the state, and is no longer wanted when its pattern ends") {
    LaneStory story = month_later();
    story.rematching(false).signal(signal_of("b", 2h, "alice"));
    story.take();
    auto loaded = Lane::load(two_stages(), {}, story.lane().save());
    REQUIRE(loaded.has_value());
    CHECK(loaded.value().statuses().at(0).rematch_backlog == 1);
    CHECK(loaded.value().save() == story.lane().save());
    story.control(PatternChange{two_stages().front(), {}, Mode::off});
    CHECK(story.stored().status.rematch_backlog == 0);
    CHECK(story.stored().awaiting.empty());
}

namespace {

constexpr Duration a_month = 30 * 24h;

/// As many behind the horizon as are matched again in a minute, each of somebody else.
void use_up_allowance(LaneStory& story) {
    while (story.stored().status.rematches.made < RematchAllowance::most_a_minute) {
        const auto made = story.stored().status.rematches.made;
        story.signal(signal_of("a", 24h + made * 1min, "somebody" + std::to_string(made)));
    }
}

/// The horizon passes steps: what had its time is forgotten.
void pass_a_day(LaneStory& story) { story.control(WatermarkCall{story_day() + a_month + 24h, false}); }

/// These come behind the horizon, all but the last before the re-matches of the minute are used up, and the last waits while a day of event time passes.
LaneStory told_in_turn(Catalogue shipped, const std::vector<Signal>& signals) {
    LaneStory story = month_later(std::move(shipped));
    for (std::size_t i = 0; i + 1 < signals.size(); ++i) story.signal(signals[i]);
    use_up_allowance(story);
    story.signal(signals.back());
    CHECK(story.stored().status.rematch_backlog == 1);
    pass_a_day(story);
    CHECK(story.stored().status.rematch_backlog == 1);
    story.finish_rematches();
    return story;
}

}  // namespace

TEST_CASE("an incident does not end while a signal waits that may belong to it, so that who comes last does not show") {
    const std::vector<Signal> signals{signal_of("a", 49h, "alice"), signal_of("b", 50h, "alice"), signal_of("b", 51h, "alice")};
    LaneStory story = told_in_turn(two_stages(), signals);
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().at(0).evidence_total == 3);
    CHECK(story.stored().incidents.size() == 1);
    const std::string expected = story.digest();
    CHECK(told_in_turn(two_stages(), {signals[2], signals[0], signals[1]}).digest() == expected);
    CHECK(told_in_turn(two_stages(), {signals[1], signals[2], signals[0]}).digest() == expected);
    // What ended then ends when the horizon passes the next step.
    story.control(WatermarkCall{story_day() + a_month + 48h, false});
    CHECK(story.digest() == expected);
    story.signal(signal_of("b", 52h, "alice")).finish_rematches();
    CHECK(story.stored().live_findings().size() == 2);  // continued
}

TEST_CASE("a signal that should have been absent is told of whenever its turn comes") {
    Pattern pattern = pattern_of("p", {{"a"}}, 1h);
    const Predicate match = Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, {"approved"}}).value();
    pattern.absent.push_back({.match = match, .where = Absence::Where::before, .stage = 0, .within = 5h});
    const Catalogue shipped{shared(std::move(pattern))};
    const Signal found = signal_of("a", 200h, "alice");
    const Signal absent = signal_of("approved", 199h, "alice");
    LaneStory story = told_in_turn(shipped, {found, absent});
    const auto findings = story.stored().live_findings();
    const auto alice = std::find_if(findings.begin(), findings.end(), [&](const FindingRecord& it) { return it.start == found.time; });
    REQUIRE(alice != findings.end());
    REQUIRE(alice->late_answers.size() == 1);
    CHECK(alice->late_answers.front().signal.id == absent.id);
    CHECK(story.digest() == told_in_turn(shipped, {absent, found}).digest());
}

TEST_CASE("findings that share evidence share an incident whenever their turn comes") {
    const Catalogue shipped{two_stages().front(), shared(pattern_of("q", {{"b"}, {"c"}}, 4h))};
    const std::vector<Signal> signals{signal_of("a", 49h, "alice"), signal_of("b", 50h, "alice"), signal_of("c", 51h, "alice")};
    LaneStory story = told_in_turn(shipped, signals);
    CHECK(story.stored().live_findings().size() == 2);
    CHECK(story.stored().incidents.size() == 1);
    CHECK(story.digest() == told_in_turn(shipped, {signals[2], signals[1], signals[0]}).digest());
}

TEST_CASE("what a finding leaves to one that ended is evidence of what continues that") {
    const auto named = [](std::vector<Scalar> names) {
        return Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, std::move(names)}).value();
    };
    Pattern pattern = pattern_of("p", {{"a"}, {"b"}}, 6h);
    pattern.order = Order::any;
    pattern.stages[0].match = named({"a", "both"});
    pattern.stages[1].match = named({"b", "both"});
    pattern.max_span = 9h;
    LaneStory story = month_later({shared(std::move(pattern))});
    story.signal(signal_of("b", 9h, "alice")).signal(signal_of("a", 15h, "alice"));
    pass_a_day(story);                             // the incident ends
    story.signal(signal_of("b", 15h, "alice"));    // continues it
    story.signal(signal_of("both", 9h, "alice"));  // now the first instance is another one, and so the finding
    story.signal(signal_of("b", 3h, "alice"));     // too early for all to be one: the rest is known by the id that ended
    std::map<std::string, int> findings_with;
    for (const FindingRecord& finding : story.stored().live_findings()) {
        for (const auto& [signal, stage] : story.stored().evidence.at(finding.id)) ++findings_with[signal.id];
    }
    for (const Signal& signal : {signal_of("b", 3h, "alice"), signal_of("b", 9h, "alice"), signal_of("both", 9h, "alice"), signal_of("a", 15h, "alice"),
                                 signal_of("b", 15h, "alice")}) {
        CAPTURE(signal.id);
        CHECK(findings_with[signal.id] > 0);
    }
}

TEST_CASE("where the window is full incidents end, whatever waits for them") {
    const Catalogue shipped{two_stages().front(), shared(pattern_of("q", {{"c"}, {"d"}}, 4h))};
    LaneStory story = month_later(shipped);
    SettingChange limit;
    limit.window_signals = 100;
    story.control(limit);
    story.signal(signal_of("a", 49h, "alice")).signal(signal_of("b", 50h, "alice"));
    use_up_allowance(story);
    story.signal(signal_of("b", 51h, "alice"));
    for (int i = 0; i < 100; ++i) story.signal(signal_of(i % 2 == 0 ? "a" : "c", a_month - 25h + i * 1s, "somebody" + std::to_string(i)));
    CHECK(story.stored().status.evicted_signals > 0);
    story.finish_rematches();
    std::vector<std::int64_t> evidence;
    for (const FindingRecord& finding : story.stored().live_findings()) evidence.push_back(finding.evidence_total);
    std::sort(evidence.begin(), evidence.end());
    CHECK(evidence == std::vector<std::int64_t>{2, 3});  // the ended one, and what continues it
}
