#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

// Two stages a and b, and x, which must be absent; the watermark follows an hour behind the newest signal.

namespace {

Predicate named(const std::string& name) { return Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, {name}}).value(); }
Absence between() { return {named("x"), Absence::Where::between, 0, 1, {}}; }
Absence after(Duration within) { return {named("x"), Absence::Where::after, 1, 0, within}; }
Absence before(Duration within) { return {named("x"), Absence::Where::before, 0, 0, within}; }

Pattern with(Absence absence) {
    Pattern pattern = pattern_of("p", {{"a"}, {"b"}});
    pattern.absent.push_back(std::move(absence));
    return pattern;
}

LaneStory attack(Pattern pattern) {
    LaneStory story{{shared(std::move(pattern))}};
    story.signal(signal_of("a", 3h, "alice")).signal(signal_of("b", 4h, "alice"));
    return story;
}

/// Three of a burst that began at 4:00; the watermark is at 4:30. Another one at 5:30, and it began at 5:10.
LaneStory found_burst() {
    Pattern pattern = with(between());
    pattern.stages[1].repeat = Repeat{3, 2h, "account", {}};
    LaneStory story{{shared(std::move(pattern))}};
    story.signal(signal_of("a", 3h, "alice"));
    for (const Duration at : std::vector<Duration>{4h, 5h + 10min, 5h + 30min}) story.signal(signal_of("b", at, "alice"));
    return story;
}

ControlBody until(Duration after_start) { return WatermarkCall{story_day() + after_start, false}; }

std::optional<FindingState> state_of(LaneStory& story) {
    const auto& findings = story.stored().findings;
    REQUIRE(findings.size() <= 1);
    return findings.empty() ? std::nullopt : std::optional{findings.begin()->second.state};
}

}  // namespace

TEST_CASE("what may still come to nothing waits in no incident, and is an ordinary finding of the same id once it cannot") {
    auto story = attack(with(between()));
    REQUIRE(story.stored().live_findings().size() == 1);
    const FindingRecord waiting = story.stored().live_findings().front();
    CHECK(waiting.state == FindingState::waiting);
    CHECK(waiting.waiting_until == story_day() + 4h);
    CHECK(waiting.absences == std::vector<std::string>{"name = x between a and b"});
    CHECK_FALSE(waiting.incident);
    CHECK(story.stored().live_incidents().empty());

    story.control(until(4h - 1us));
    CHECK(state_of(story) == FindingState::waiting);
    story.control(until(4h));
    REQUIRE(state_of(story) == FindingState::open);
    const FindingRecord found = story.stored().live_findings().front();
    CHECK(found.id == waiting.id);
    CHECK_FALSE(found.waiting_until);
    CHECK(found.incident);
    CHECK(story.stored().live_incidents().size() == 1);
    CHECK(story.stored().evidence.at(found.id).size() == 2);
}

TEST_CASE("a signal that comes in time takes the waiting finding back") {
    auto story = attack(with(between()));
    story.signal(signal_of("x", 3h + 30min, "alice"));
    CHECK(state_of(story) == FindingState::superseded);
    CHECK_FALSE(story.stored().findings.begin()->second.waiting_until);
    story.control(until(30h));
    CHECK(state_of(story) == FindingState::superseded);
    CHECK(story.stored().incidents.empty());
}

TEST_CASE("each interval has its limits") {
    struct Limit {
        const char* what;
        Absence absence;
        Duration at;
        bool meets;
    };
    const Limit limits[] = {
        {"between: at the end of the first", between(), 3h, false},
        {"between: just after it", between(), 3h + 1us, true},
        {"between: just before the start of the second", between(), 4h - 1us, true},
        {"between: at it", between(), 4h, false},
        {"after: at the end", after(1h), 4h, false},
        {"after: just after it", after(1h), 4h + 1us, true},
        {"after: at the limit", after(1h), 5h, true},
        {"after: beyond it", after(1h), 5h + 1us, false},
        {"before: at the start", before(1h), 3h, false},
        {"before: just before it", before(1h), 3h - 1us, true},
        {"before: at the limit", before(1h), 2h, true},
        {"before: beyond it", before(1h), 2h - 1us, false},
    };
    for (const auto& [what, absence, at, meets] : limits) {
        for (const bool first : {false, true}) {
            CAPTURE(what);
            CAPTURE(first);
            LaneStory story{{shared(with(absence))}};
            story.control(SettingChange{.lateness = 24h, .base_rate = {}, .unlinkable_limit = {}, .group_within = {}, .window_signals = {}});
            if (first) story.signal(signal_of("x", at, "alice"));
            story.signal(signal_of("a", 3h, "alice")).signal(signal_of("b", 4h, "alice"));
            if (!first) story.signal(signal_of("x", at, "alice"));
            story.control(until(30h));
            CHECK(story.stored().live_findings().empty() == meets);
            CHECK(story.stored().live_incidents().empty() == meets);
        }
    }
}

TEST_CASE("what comes too late annotates the finding and leaves it") {
    auto story = attack(with(after(1h)));
    story.control(until(5h + 1us));
    REQUIRE(state_of(story) == FindingState::open);
    story.signal(signal_of("x", 4h + 30min, "bob"));
    CHECK(story.stored().live_findings().front().late_answers.empty());
    story.signal(signal_of("x", 4h + 20min, "alice"));
    const FindingRecord found = story.stored().live_findings().front();
    CHECK(found.state == FindingState::open);
    CHECK(found.evidence_total == 2);
    REQUIRE(found.late_answers.size() == 1);
    CHECK(found.late_answers.front().signal.time == story_day() + 4h + 20min);
    CHECK(found.late_answers.front().absence == "name = x within 1 h after b");
    CHECK(story.stored().live_incidents().size() == 1);
}

TEST_CASE("what comes too late for a closed incident annotates its finding and does not reopen it") {
    auto story = attack(with(after(1h)));
    story.control(until(5h + 1us));
    IncidentEdit close;
    close.number = story.stored().live_incidents().front().number;
    close.status = IncidentStatus::closed;
    close.actor = "key";
    story.control(close);
    const auto closed = story.stored().live_incidents().front();
    CHECK(closed.summary.find("too late to count") == std::string::npos);
    story.signal(signal_of("x", 4h + 20min, "alice"));
    CHECK(story.stored().live_findings().front().late_answers.size() == 1);
    const auto annotated = story.stored().live_incidents().front();
    CHECK(annotated.summary.find("too late to count") != std::string::npos);
    CHECK(annotated.revision == closed.revision + 1);
    CHECK(annotated.status == IncidentStatus::closed);
}

TEST_CASE("at most sixteen late answers are told, the earliest, and that there are more") {
    auto story = attack(with(after(1h)));
    story.control(until(6h));
    for (int minute = 40; minute > 20; --minute) story.signal(signal_of("x", 4h + std::chrono::minutes{minute}, "alice"));
    const FindingRecord found = story.stored().live_findings().front();
    REQUIRE(found.late_answers.size() == 16);
    CHECK(found.late_answers.front().signal.time == story_day() + 4h + 21min);
    CHECK(found.more_late_answers);
}

TEST_CASE("one entity that survives is enough") {
    const auto both = [](const std::string& name, Duration at) {
        Signal signal = signal_of(name, at, "alice");
        signal.entities.push_back({"account", "bob", "", true});
        return signal;
    };
    LaneStory story{{shared(with(between()))}};
    story.signal(both("a", 3h)).signal(both("b", 4h)).signal(signal_of("x", 3h + 30min, "alice"));
    story.control(until(5h));
    REQUIRE(state_of(story) == FindingState::open);
    CHECK(story.stored().live_findings().front().principals == std::vector<EntityKey>{{"account", "bob"}});
    LaneStory neither{{shared(with(between()))}};
    neither.signal(both("a", 3h)).signal(both("b", 4h)).signal(both("x", 3h + 30min));
    CHECK(neither.stored().live_findings().empty());
}

TEST_CASE("a signal need not link to meet a condition: to mention is enough") {
    SUBCASE("more names of a kind than link") {
        auto story = attack(with(between()));
        Signal crowd = signal_of("x", 3h + 30min, "alice");
        for (int i = 0; i < 12; ++i) crowd.entities.push_back({"account", "other" + std::to_string(i), "", true});
        story.signal(crowd);
        CHECK(state_of(story) == FindingState::superseded);
    }
    SUBCASE("denied by then") {
        LaneStory story{{shared(with(between()))}};
        story.signal(signal_of("a", 3h, "alice")).signal(signal_of("b", 4h, "alice"));
        story.control(EntityChange{{"account", "alice"}, LinkRule::deny});
        story.signal(signal_of("x", 3h + 30min, "alice"));
        CHECK(state_of(story) == FindingState::superseded);
    }
}

TEST_CASE("nothing is judged where the stage was left empty") {
    Pattern pattern = pattern_of("p", {{"a"}, {"b"}, {"c", true}});
    pattern.absent.push_back({named("x"), Absence::Where::between, 1, 2, {}});
    LaneStory story{{shared(pattern)}};
    story.signal(signal_of("a", 3h, "alice")).signal(signal_of("b", 4h, "alice")).signal(signal_of("x", 4h + 30min, "alice"));
    CHECK(state_of(story) == FindingState::open);
}

TEST_CASE("without a link every signal counts") {
    Pattern pattern = pattern_of("p", {{"a"}}, 24h, {});
    pattern.absent.push_back({named("x"), Absence::Where::after, 0, 0, 1h});
    LaneStory story{{shared(pattern)}};
    story.signal(signal_of("a", 3h, "alice"));
    CHECK(state_of(story) == FindingState::waiting);
    story.signal(signal_of("x", 4h, ""));
    CHECK(state_of(story) == FindingState::superseded);
}

TEST_CASE("a pattern posted later judges what is stored, before its stages too") {
    for (const bool approved : {false, true}) {
        LaneStory story;
        if (approved) story.signal(signal_of("x", 1h, "alice"));
        story.signal(signal_of("a", 3h, "alice")).signal(signal_of("b", 4h, "alice")).signal(signal_of("y", 9h, "bob"));
        story.control(PatternChange{shared(with(before(2h))), story_day()});
        CHECK(story.stored().live_findings().empty() == approved);
    }
}

TEST_CASE("when its version ends what waits is taken back, and the next version waits for it in turn") {
    auto story = attack(with(after(2h)));
    const FindingId former = story.stored().live_findings().front().id;
    Pattern next = with(after(3h));
    next.version = 2;
    story.control(PatternChange{shared(next), {}});
    CHECK(story.stored().findings.at(former).state == FindingState::superseded);
    REQUIRE(story.stored().live_findings().size() == 1);
    CHECK(story.stored().live_findings().front().waiting_until == story_day() + 7h + 1us);
    Pattern off = next;
    off.mode = Mode::off;
    story.control(PatternChange{shared(off), {}});
    CHECK(story.stored().live_findings().empty());
    CHECK(story.stored().status.window_signals == 0);
}

TEST_CASE("a version posted while attempts wait longer than it may take to complete them goes on waiting for them") {
    Pattern hasty = pattern_of("p", {{"a"}, {"b"}}, 1h);
    hasty.absent.push_back(after(72h));
    // b at 4 h waits until 76 h and a microsecond; the watermark stands at `at`.
    const auto seen_until = [&](Duration at, Catalogue shipped = {}) {
        LaneStory story{std::move(shipped)};
        story.signal(signal_of("a", 3h, "alice")).signal(signal_of("b", 4h, "alice")).signal(signal_of("y", at + 1h, "bob"));
        return story;
    };
    SUBCASE("of a new pattern") {
        auto story = seen_until(70h);
        story.control(PatternChange{shared(hasty), {}});
        REQUIRE(state_of(story) == FindingState::waiting);
        CHECK(story.stored().live_findings().front().waiting_until == story_day() + 76h + 1us);
        story.control(until(76h + 1us));
        CHECK(state_of(story) == FindingState::open);
        CHECK(story.stored().live_incidents().size() == 1);
    }
    SUBCASE("what comes in time still takes it back") {
        auto story = seen_until(70h);
        story.control(PatternChange{shared(hasty), {}}).signal(signal_of("x", 75h, "alice"));
        CHECK(state_of(story) == FindingState::superseded);
    }
    SUBCASE("to the last instant, and no longer") {
        auto story = seen_until(76h);
        story.control(PatternChange{shared(hasty), {}});
        CHECK(state_of(story) == FindingState::waiting);
        auto later = seen_until(76h + 1us);
        later.control(PatternChange{shared(hasty), {}});
        CHECK(later.stored().findings.empty());
    }
    SUBCASE("of the version before, whatever the new one waits for") {
        for (const bool waits : {false, true}) {
            CAPTURE(waits);
            auto story = seen_until(70h, {shared(hasty)});
            REQUIRE(state_of(story) == FindingState::waiting);
            Pattern next = pattern_of("p", {{"a"}, {"b"}}, 1h);
            next.version = 2;
            if (waits) next.absent.push_back(after(80h));
            story.control(PatternChange{shared(next), {}});
            REQUIRE(story.stored().live_findings().size() == 1);
            CHECK(story.stored().live_findings().front().version == 2);
            CHECK(story.stored().live_findings().front().waiting_until.has_value() == waits);
            CHECK(story.stored().live_incidents().size() == (waits ? 0U : 1U));
        }
    }
    SUBCASE("of a version that was on trial") {
        LaneStory story;
        hasty.mode = Mode::flighting;
        story.control(PatternChange{shared(hasty), {}});
        story.signal(signal_of("a", 3h, "alice")).signal(signal_of("b", 4h, "alice")).signal(signal_of("y", 71h, "bob"));
        hasty.mode = Mode::production;
        story.control(PatternChange{shared(hasty), {}});
        story.control(until(76h + 1us));
        CHECK(state_of(story) == FindingState::open);
        CHECK(story.stored().live_incidents().size() == 1);
    }
    SUBCASE("and all is asked for that it is judged by") {
        hasty.absent.push_back(before(100h));
        hasty.absent.push_back(between());
        hasty.stages[1].repeat = Repeat{2, 30min, "account", {}};
        auto story = seen_until(200h);
        const auto request = story.lane().history_for(TenantId{1}, PatternChange{shared(hasty), {}});
        REQUIRE(request);
        CHECK(request->from <= story_day() + 200h - 72h - 1h - 100h);
        CHECK(request->to == story_day() + 201h);
    }
}

TEST_CASE("a flighting pattern waits and finds without an incident") {
    Pattern pattern = with(between());
    pattern.mode = Mode::flighting;
    auto story = attack(pattern);
    CHECK(state_of(story) == FindingState::waiting);
    story.control(until(5h));
    CHECK(state_of(story) == FindingState::open);
    CHECK(story.stored().incidents.empty());
    pattern.mode = Mode::production;
    story.control(PatternChange{shared(pattern), story_day()});
    CHECK(story.stored().live_incidents().size() == 1);
}

TEST_CASE("a burst that turns out to start later waits again, and its incident is closed until it is decided") {
    LaneStory story = found_burst();
    REQUIRE(state_of(story) == FindingState::open);
    Signal another = signal_of("b", 5h + 30min, "alice");
    another.id += "-again";
    story.signal(another);  // and now it began at 5:10
    CHECK(state_of(story) == FindingState::waiting);
    REQUIRE(story.stored().live_incidents().size() == 1);
    CHECK(story.stored().live_incidents().front().status == IncidentStatus::closed);
    story.control(until(7h));
    CHECK(state_of(story) == FindingState::open);
    CHECK(story.stored().live_findings().front().incident);
}

TEST_CASE("what continues the finding of a closed incident and waits again waits beside it, however often, and then has an incident of its own") {
    LaneStory story = found_burst();
    REQUIRE(story.stored().live_incidents().size() == 1);
    const auto found = story.stored().live_findings().front();
    IncidentEdit close;
    close.number = *found.incident;
    close.status = IncidentStatus::closed;
    close.actor = "key";
    story.control(close);

    for (const char* more : {"-again", "-and-again"}) {
        Signal another = signal_of("b", 5h + 30min, "alice");
        another.id += more;
        story.signal(another);
        REQUIRE(story.stored().live_findings().size() == 2);
        for (const auto& finding : story.stored().live_findings()) {
            if (finding.id == found.id) {
                CHECK(finding.state == FindingState::open);
                CHECK(finding.evidence_total == found.evidence_total);
            } else {
                CHECK(finding.state == FindingState::waiting);
                CHECK_FALSE(finding.incident);
            }
        }
        CHECK(story.stored().live_incidents().size() == 1);
    }
    story.control(until(7h));
    REQUIRE(story.stored().live_incidents().size() == 2);
    CHECK(story.stored().live_incidents().front().status == IncidentStatus::closed);
    CHECK(story.stored().live_incidents().back().status == IncidentStatus::new_);
    for (const auto& finding : story.stored().live_findings()) CHECK(finding.state == FindingState::open);
}

TEST_CASE("signals that must be absent are held as long as they matter") {
    LaneStory story{{shared(with(before(1h)))}};
    for (int minute = 0; minute < 60; ++minute) story.signal(signal_of("x", std::chrono::minutes{minute}, "alice"));
    CHECK(story.stored().status.window_signals == 60);
    story.signal(signal_of("y", 30 * 24h, "bob"));
    story.signal(signal_of("y", 60 * 24h, "bob"));
    CHECK(story.stored().status.window_signals == 0);
}
