#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

Catalogue patterns() {
    return {shared(pattern_of("p", {{"a"}, {"b"}})), shared(pattern_of("q", {{"b"}, {"c"}}, 2h)),
            shared(pattern_of("r", {{"a"}, {"c"}}, 3h, {"account", "host"}))};
}

/// A log with everything in it: several accounts, late signals, edits, a new pattern, a watermark call.
std::vector<LogEntry> long_log() {
    LaneStory story{patterns()};
    const std::vector<std::string> accounts{"alice", "bob", "carol"};
    for (int i = 0; i < 60; ++i) {
        const std::string name{static_cast<char>('a' + i % 3)};
        Signal signal = signal_of(name, i * 4min - (i % 7 == 0 ? 100min : 0min), accounts[static_cast<std::size_t>(i * 7 % 5 % 3)]);
        if (i % 2 == 0) signal.entities.push_back({"host", "h" + std::to_string(i % 4), "", true});
        story.signal(signal);
        if (i == 25)
            story.control(IncidentEdit{.number = IncidentNumber{1},
                                       .status = IncidentStatus::closed,
                                       .classification = Classification::undetermined,
                                       .reason = {},
                                       .owner = {},
                                       .title = {},
                                       .severity = {},
                                       .labels = {},
                                       .actor = "k"});
        if (i == 35) story.control(PatternChange{shared(pattern_of("s", {{"c"}, {"a"}}, 4h)), {}});
        if (i == 45)
            story.control(IncidentEdit{.number = IncidentNumber{1},
                                       .status = IncidentStatus::active,
                                       .classification = {},
                                       .reason = {},
                                       .owner = "x",
                                       .title = {},
                                       .severity = {},
                                       .labels = {},
                                       .actor = "k"});
    }
    story.control(WatermarkCall{story_day() + 48h, false});
    return story.log();
}

}  // namespace

TEST_CASE("the same entries give the same effects, byte for byte, and the same digest") {
    const auto log = long_log();
    std::vector<std::string> texts[2];
    std::string digests[2];
    for (int round = 0; round < 2; ++round) {
        LaneStory story{patterns()};
        for (const LogEntry& entry : log) {
            if (std::holds_alternative<ControlBody>(entry.body)) story.take();
            story.entry(entry);
            texts[round].push_back(as_text(story.lane().take_effects()));
        }
        digests[round] = story.digest();
    }
    CHECK(texts[0] == texts[1]);
    CHECK(digests[0] == digests[1]);
    CHECK(std::any_of(texts[0].begin(), texts[0].end(), [](const std::string& text) { return text.find("created") != std::string::npos; }));
}

TEST_CASE("how effects are batched does not show in what is stored") {
    const auto log = long_log();
    std::vector<Stored> results;
    for (const std::size_t batch : {1U, 7U, 1000U}) {
        LaneStory story{patterns()};
        for (std::size_t i = 0; i < log.size(); ++i) {
            story.entry(log[i]);
            if ((i + 1) % batch == 0) story.take();
        }
        results.push_back(story.stored());
    }
    for (std::size_t i = 1; i < results.size(); ++i) {
        REQUIRE(results[i].live_incidents().size() == results[0].live_incidents().size());
        for (const auto& [number, record] : results[0].incidents) {
            CAPTURE(number.value());
            REQUIRE(results[i].incidents.contains(number));
            const IncidentRecord& other = results[i].incidents.at(number);
            CHECK(other.revision == record.revision);
            CHECK(other.signal_count == record.signal_count);
            CHECK(other.title == record.title);
            CHECK(other.summary == record.summary);
            CHECK(other.entities == record.entities);
            CHECK(other.related == record.related);
            CHECK(other.updated == record.updated);
            CHECK(results[i].history(number) == results[0].history(number));
        }
        const auto live = results[0].live_findings();
        const auto same = results[i].live_findings();
        REQUIRE(live.size() == same.size());
        for (std::size_t k = 0; k < live.size(); ++k) {
            CHECK(live[k].id == same[k].id);
            CHECK(live[k].incident == same[k].incident);
            CHECK(results[0].evidence.at(live[k].id) == results[i].evidence.at(live[k].id));
            CHECK(results[0].evidence.at(live[k].id).size() == static_cast<std::size_t>(live[k].evidence_total));
        }
    }
}

TEST_CASE("any order within the lateness gives the same digest once the watermark has passed") {
    std::vector<Signal> signals;
    for (int i = 0; i < 12; ++i) signals.push_back(signal_of(std::string{static_cast<char>('a' + i % 3)}, i * 4min, i % 5 == 0 ? "bob" : "alice"));
    std::string expected;
    for (int shift = 0; shift < 12; ++shift) {
        std::rotate(signals.begin(), signals.begin() + 5, signals.end());
        LaneStory story{patterns()};
        for (const Signal& signal : signals) story.signal(signal);
        CHECK(story.stored().late.empty());
        story.control(WatermarkCall{story_day() + 24h, false});
        if (shift == 0) expected = story.digest();
        CHECK(story.digest() == expected);
    }
    CHECK(expected != LaneStory{patterns()}.digest());
}

TEST_CASE("what is still in memory, for a merge or a new pattern to find, does not depend on the order of arrival") {
    const Signal earlier = signal_of("z", 72h + 40min, "alice");
    const Signal later = signal_of("x", 73h + 30min, "alice");
    // Alice's incident ends 10 min after the start. `newest` decides whether it is still there: what ends 73 h to 76 h before is forgotten.
    const auto decided = [&](std::vector<Signal> order, Duration newest, const ControlBody& decision) {
        LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
        story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
        story.signal(signal_of("a", 69h, "bob")).signal(signal_of("b", 69h + 10min, "bob"));
        for (const Signal& signal : order) story.signal(signal);
        story.signal(signal_of("x", newest, "alice"));
        CHECK(story.stored().late.empty());
        story.control(decision);
        return std::pair{story.digest(), story.stored().live_incidents().size()};
    };
    const IncidentMerge merge{.into = IncidentNumber{2}, .numbers = {IncidentNumber{1}}, .reason = "", .actor = "key"};
    const PatternChange shares_evidence{shared(pattern_of("long", {{"b"}, {"z"}}, 100h)), {}};
    for (const auto& [newest, is_held] : {std::pair<Duration, bool>{73h + 30min, true}, {76h + 30min, false}}) {
        CAPTURE(is_held);
        const auto merged = decided({earlier, later}, newest, merge);
        CHECK(merged.second == (is_held ? 1U : 2U));
        CHECK(decided({later, earlier}, newest, merge) == merged);
        const auto joined = decided({earlier, later}, newest, shares_evidence);
        CHECK(joined.second == (is_held ? 2U : 3U));
        CHECK(decided({later, earlier}, newest, shares_evidence) == joined);
    }
}

TEST_CASE("the digest tells findings, evidence and partition apart") {
    const auto digest = [](std::vector<Signal> signals) {
        LaneStory story{patterns()};
        for (const Signal& signal : signals) story.signal(signal);
        return story.digest();
    };
    const Signal a = signal_of("a", 0min, "alice");
    const Signal b = signal_of("b", 10min, "alice");
    const std::string both = digest({a, b});
    CHECK(both != digest({a}));
    CHECK(both != digest({a, b, signal_of("b", 11min, "alice")}));
    Signal surer = b;
    surer.confidence = 0.6;
    CHECK(both != digest({a, surer}));
}
