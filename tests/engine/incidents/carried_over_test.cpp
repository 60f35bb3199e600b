#include "tests/support/lane_story.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace catenary::engine;
using namespace catenary::test;
namespace tests = catenary::tests;
using namespace std::chrono_literals;

namespace {

Catalogue patterns() {
    return {shared(pattern_of("p", {{"a"}, {"b"}})), shared(pattern_of("q", {{"b"}, {"c"}}, 2h)),
            shared(pattern_of("r", {{"a"}, {"c"}}, 3h, {"account", "host"}))};
}

/// Its engine begins anew.
LaneStory begun_anew(LaneStory& story, Catalogue shipped) { return story.begun_anew(std::move(shipped), story_day() + 400h); }

IncidentEdit edit_of(std::int64_t number) {
    return {.number = IncidentNumber{number},
            .status = {},
            .classification = {},
            .reason = {},
            .owner = {},
            .title = {},
            .severity = {},
            .labels = {},
            .actor = "k"};
}

/// What people see of it; when and how often it was written, and what it is related to, is left out.
IncidentRecord seen(IncidentRecord record) {
    record.revision = 0;
    record.updated = {};
    record.related.clear();
    return record;
}

void check_same(const Stored& left, const Stored& right) {
    const auto findings = left.live_findings();
    const auto others = right.live_findings();
    REQUIRE(findings.size() == others.size());
    for (std::size_t i = 0; i < findings.size(); ++i) {
        CHECK(findings[i].id == others[i].id);
        CHECK(findings[i].incident == others[i].incident);
        CHECK(findings[i].evidence_total == others[i].evidence_total);
        CHECK(left.evidence.at(findings[i].id) == right.evidence.at(findings[i].id));
    }
    REQUIRE(left.incidents.size() == right.incidents.size());
    for (const auto& [number, record] : left.incidents) {
        CAPTURE(number.value());
        const auto& other = right.incidents.at(number);
        CHECK(record.title == other.title);
        CHECK(record.summary == other.summary);
        CHECK(record.severity == other.severity);
        // An engine that begins anew looks at everything at once, and may see that two are related which came too far apart before.
        CHECK(std::includes(other.related.begin(), other.related.end(), record.related.begin(), record.related.end()));
        CHECK(seen(record) == seen(right.incidents.at(number)));
    }
}

class RandomLog {
public:
    explicit RandomLog(std::uint64_t seed) : dice_{seed} {}

    void next(LaneStory& story) {
        clock_ += std::chrono::minutes{roll(20)};
        if (roll(8) > 0) return signal(story);
        const auto last = static_cast<std::int64_t>(story.stored().incidents.size());
        if (last == 0) return signal(story);
        IncidentEdit edit = edit_of(1 + static_cast<std::int64_t>(roll(static_cast<std::size_t>(last))));
        switch (roll(5)) {
            case 0: edit.status = IncidentStatus::closed; break;
            case 1: edit.status = IncidentStatus::active; break;
            case 2: edit.title = "called " + std::to_string(roll(9)); break;
            case 3: edit.severity = Severity::high; break;
            default: edit.labels = {"l" + std::to_string(roll(3))}; break;
        }
        story.control(edit);
    }

private:
    std::size_t roll(std::size_t sides) { return static_cast<std::size_t>(dice_() % sides); }
    void signal(LaneStory& story) {
        Signal signal =
            signal_of(std::string{static_cast<char>('a' + roll(4))}, clock_ - (roll(6) == 0 ? 45min : 0min), std::string{static_cast<char>('x' + roll(3))});
        signal.id += std::to_string(serial_++);
        if (roll(2) == 0) signal.entities.push_back({"host", "h" + std::to_string(roll(3)), "", true});
        story.signal(signal);
    }

    std::mt19937_64 dice_;
    Duration clock_{};
    int serial_ = 0;
};

}  // namespace

TEST_CASE("what was reported goes on as if the engine had never begun anew") {
    for (const auto seed : tests::seeds(51'780, 300)) {
        CAPTURE(seed);
        RandomLog log{seed};
        LaneStory story{patterns()};
        const auto before = 5 + seed % 40;
        for (std::size_t i = 0; i < before; ++i) log.next(story);
        story.take();
        LaneStory anew = begun_anew(story, patterns());
        check_same(story.stored(), anew.stored());
        for (int i = 0; i < 30; ++i) {
            log.next(story);
            anew.entry(story.log().back());
        }
        check_same(story.stored(), anew.stored());
    }
}

TEST_CASE("nothing is written of what is as it was") {
    LaneStory story{patterns()};
    story.signal(signal_of("a", 0min, "x")).signal(signal_of("b", 5min, "x"));
    story.take();
    LaneStory anew = begun_anew(story, patterns());
    const auto effects = anew.taken();
    REQUIRE(effects.size() == 1);
    CHECK(effects[0].findings.empty());
    CHECK(effects[0].evidence.empty());
    CHECK(effects[0].incidents.empty());
    CHECK(effects[0].activity.empty());
}

TEST_CASE("what analysts put together and apart stays so, and new evidence finds its place") {
    LaneStory story{patterns()};
    story.signal(signal_of("a", 0min, "x")).signal(signal_of("b", 5min, "x"));
    story.signal(signal_of("a", 10min, "y")).signal(signal_of("b", 15min, "y"));
    story.signal(signal_of("a", 20min, "z")).signal(signal_of("b", 25min, "z"));
    story.control(IncidentMerge{IncidentNumber{1}, {IncidentNumber{3}}, "one person", "k"});
    REQUIRE(story.stored().live_incidents().size() == 2);
    LaneStory anew = begun_anew(story, patterns());
    check_same(story.stored(), anew.stored());

    anew.signal(signal_of("b", 30min, "z"));
    CHECK(anew.stored().incidents.at(IncidentNumber{1}).signal_count == 5);
    anew.control([] {
        IncidentEdit edit = edit_of(3);
        edit.owner = "somebody";
        return edit;
    }());
    CHECK(anew.stored().incidents.at(IncidentNumber{1}).owner == "somebody");
    anew.signal(signal_of("a", 40min, "w")).signal(signal_of("b", 45min, "w"));
    CHECK(anew.stored().incidents.at(IncidentNumber{4}).signal_count == 2);
    CHECK(anew.stored().history(IncidentNumber{4}) == std::vector<std::string>{"created"});
}

TEST_CASE("a pattern that ships newly reports what it finds in what is held, without touching what was reported") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
    story.signal(signal_of("a", 0min, "x")).signal(signal_of("b", 5min, "x")).signal(signal_of("c", 9min, "y")).signal(signal_of("d", 10min, "y"));
    const auto before = story.stored().incidents.at(IncidentNumber{1});
    LaneStory anew = begun_anew(story, {shared(pattern_of("p", {{"a"}, {"b"}})), shared(pattern_of("n", {{"c"}, {"d"}}))});
    const auto& stored = anew.stored();
    CHECK(stored.incidents.at(IncidentNumber{1}) == before);
    REQUIRE(stored.incidents.contains(IncidentNumber{2}));
    CHECK(stored.incidents.at(IncidentNumber{2}).patterns == std::vector<std::string>{"n"});
    CHECK(stored.history(IncidentNumber{2}) == std::vector<std::string>{"created"});
}

TEST_CASE("an incident of which not everything is found again stays as it was reported; what comes later stands beside it") {
    LaneStory story{patterns()};
    story.signal(signal_of("a", 0min, "x")).signal(signal_of("b", 5min, "x")).signal(signal_of("c", 6min, "x"));
    const auto before = story.stored().incidents.at(IncidentNumber{1});
    REQUIRE(before.finding_count > 1);
    LaneStory anew = begun_anew(story, {shared(pattern_of("p", {{"a"}, {"b"}}))});
    CHECK(anew.stored().incidents.at(IncidentNumber{1}) == before);
    anew.signal(signal_of("b", 20min, "x"));
    const auto& stored = anew.stored();
    CHECK(stored.incidents.at(IncidentNumber{1}).signal_count == before.signal_count);
    REQUIRE(stored.incidents.contains(IncidentNumber{2}));
    CHECK(stored.incidents.at(IncidentNumber{2}).related == std::vector{IncidentNumber{1}});
    CHECK(stored.incidents.at(IncidentNumber{2}).signal_count == 3);
}

TEST_CASE("numbers go on behind the last one although nothing of it is held any more") {
    Lane lane{patterns()};
    StoredIncidents stored;
    stored.last_number = 41;
    lane.carry_over(TenantId{1}, stored, Position{9}, story_day());
    LaneStory story = LaneStory{}.resumed_with(std::move(lane));
    story.signal(signal_of("a", 0min, "x")).signal(signal_of("b", 5min, "x"));
    CHECK(story.stored().live_incidents().at(0).number == IncidentNumber{42});
}

TEST_CASE("what comes behind the horizon for an incident that ended before an engine began anew is told beside it, and the two are related") {
    LaneStory story{{patterns().front()}};
    story.signal(signal_of("a", 1h, "alice")).signal(signal_of("b", 2h, "alice")).signal(signal_of("x", 30 * 24h, "noise"));
    LaneStory anew = story.begun_anew({patterns().front()}, story_day() + 31 * 24h);
    const auto former = anew.stored().live_findings().front();
    anew.signal(signal_of("b", 3h, "alice"));
    CHECK(anew.stored().findings.at(former.id).incident == IncidentNumber{1});
    CHECK(anew.stored().findings.at(former.id).evidence_total == 2);
    REQUIRE(anew.stored().live_incidents().size() == 2);
    CHECK(anew.stored().incidents.at(IncidentNumber{2}).signal_count == 3);
    CHECK(anew.stored().incidents.at(IncidentNumber{1}).related == std::vector<IncidentNumber>{IncidentNumber{2}});
    story.signal(signal_of("b", 3h, "alice"));
    check_same(story.stored(), anew.stored());
}

TEST_CASE("a finding of which not all evidence is found again stays as it is stored, also when findings are scored anew") {
    Pattern wide = pattern_of("p", {{"a"}, {"b"}});
    wide.stages[1].match = Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, {std::string{"b"}, std::string{"c"}}}).value();
    LaneStory story{{shared(std::move(wide))}};
    story.signal(signal_of("a", 0min, "x")).signal(signal_of("b", 5min, "x")).signal(signal_of("c", 6min, "x"));
    auto close = edit_of(1);
    close.status = IncidentStatus::closed;
    story.control(close);
    const FindingRecord before = story.stored().live_findings().front();
    REQUIRE(before.evidence_total == 3);

    auto anew = begun_anew(story, {shared(pattern_of("p", {{"a"}, {"b"}}))});
    SettingChange scoring;
    scoring.base_rate = 0.2;
    anew.control(scoring);
    const auto& stored = anew.stored();
    REQUIRE(stored.findings.contains(before.id));
    CHECK(stored.findings.at(before.id).evidence_total == 3);
    CHECK(stored.findings.at(before.id).summary == before.summary);
    CHECK(stored.evidence.at(before.id).size() == 3);
}

TEST_CASE("an incident of which not everything is found again stays as it is stored, counts what joins it, and is not made anew when it is opened") {
    const auto on_one = [](const char* id) { return shared(pattern_of(id, {{"a"}})); };
    LaneStory story{{on_one("p"), on_one("q")}};
    story.signal(signal_of("a", 1h, "alice"));
    auto edit = edit_of(1);
    edit.status = IncidentStatus::closed;
    story.control(edit);
    REQUIRE(story.stored().incidents.at(IncidentNumber{1}).finding_count == 2);
    auto anew = begun_anew(story, {on_one("p"), on_one("s")});
    edit.status = IncidentStatus::active;
    for (const bool opened : {false, true}) {
        CAPTURE(opened);
        if (opened) anew.control(edit);
        const auto& stored = anew.stored();
        const auto findings = stored.live_findings();
        CHECK(std::ranges::count_if(findings, [](const FindingRecord& one) { return one.incident == IncidentNumber{1}; }) == 3);
        CHECK(stored.incidents.at(IncidentNumber{1}).finding_count == 3);
        CHECK(stored.incidents.at(IncidentNumber{1}).signal_count == 1);
        CHECK(stored.incidents.size() == 1);
    }
}
