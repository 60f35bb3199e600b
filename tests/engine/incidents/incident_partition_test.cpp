#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <type_traits>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

constexpr IncidentNumber first{1};
constexpr IncidentNumber second{2};

/// p: a then b of one account; q: b then c of one account.
Catalogue overlapping() { return {shared(pattern_of("p", {{"a"}, {"b"}})), shared(pattern_of("q", {{"b"}, {"c"}}))}; }

Signal by_host(const std::string& name, Duration after, const std::string& account, const std::string& host) {
    Signal signal = signal_of(name, after, account);
    signal.entities.push_back({"host", host, "", true});
    return signal;
}

}  // namespace

TEST_CASE("two findings that share a signal are one incident") {
    LaneStory story{overlapping()};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice")).signal(signal_of("c", 20min, "alice"));
    Stored& stored = story.stored();
    REQUIRE(stored.incidents.size() == 1);
    const IncidentRecord incident = stored.incidents.at(first);
    CHECK(incident.finding_count == 2);
    CHECK(incident.signal_count == 3);
    CHECK(incident.patterns == std::vector<std::string>{"p", "q"});
    CHECK(incident.summary.find("2 findings") != std::string::npos);
    CHECK(stored.history(first) == std::vector<std::string>{"created", "finding_added", "evidence_added"});
}

TEST_CASE("findings without a common signal are two incidents, numbered in order of creation") {
    LaneStory story{overlapping()};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("a", 1min, "bob"));
    story.signal(signal_of("b", 10min, "bob")).signal(signal_of("b", 20min, "alice"));
    const auto incidents = story.stored().live_incidents();
    REQUIRE(incidents.size() == 2);
    CHECK(incidents[0].principals.front().value == "bob");
    CHECK(incidents[1].principals.front().value == "alice");
    CHECK(incidents[0].related.empty());
}

TEST_CASE("a later finding that connects two incidents makes the larger number redirect") {
    Catalogue patterns{shared(pattern_of("p", {{"a"}, {"b"}})), shared(pattern_of("q", {{"c"}, {"d"}})),
                       shared(pattern_of("r", {{"b"}, {"c"}, {"e"}}, 24h, {"host"}))};
    LaneStory story{patterns};
    story.signal(by_host("a", 0min, "alice", "h")).signal(by_host("b", 10min, "alice", "h"));
    story.signal(by_host("c", 20min, "bob", "h")).signal(by_host("d", 30min, "bob", "h"));
    CHECK(story.stored().live_incidents().size() == 2);
    IncidentEdit edit{.number = second,
                      .status = IncidentStatus::active,
                      .classification = {},
                      .reason = {},
                      .owner = "dora",
                      .title = {},
                      .severity = {},
                      .labels = {},
                      .actor = "k"};
    story.control(edit);
    story.signal(by_host("e", 40min, "eve", "h"));
    Stored& stored = story.stored();
    CHECK(stored.incidents.at(second).merged_into == first);
    CHECK(stored.incidents.at(second).signal_count == 2);  // as it was
    const IncidentRecord merged = stored.incidents.at(first);
    CHECK(merged.finding_count == 3);
    CHECK(merged.signal_count == 5);
    CHECK(merged.owner == "dora");
    CHECK(merged.status == IncidentStatus::active);
    for (const FindingRecord& finding : stored.live_findings()) CHECK(finding.incident == first);
    CHECK(stored.history(second).back() == "merged");
    // a redirect is final, numbers go on
    story.signal(signal_of("a", 50min, "zoe")).signal(signal_of("b", 60min, "zoe"));
    CHECK(story.stored().incidents.contains(IncidentNumber{3}));
}

TEST_CASE("an incident whose finding became part of another one's redirects there, whichever came first") {
    for (const bool is_later_first : {false, true}) {
        CAPTURE(is_later_first);
        LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
        const auto earlier = [&] { story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice")); };
        const auto later = [&] { story.signal(signal_of("a", 20min, "bob")).signal(signal_of("b", 30min, "bob")); };
        if (is_later_first) later();
        earlier();
        if (!is_later_first) later();
        REQUIRE(story.stored().live_incidents().size() == 2);
        Signal both = signal_of("b", 40min, "alice");
        both.entities.push_back({"account", "bob", "", true});
        story.signal(both);
        Stored& stored = story.stored();
        REQUIRE(stored.live_findings().size() == 1);
        const auto heir = stored.live_findings().front().incident;
        REQUIRE(heir.has_value());
        const IncidentNumber other = heir == first ? second : first;
        CHECK(stored.incidents.at(other).merged_into == heir);
        CHECK(stored.incidents.at(other).status == IncidentStatus::new_);
        CHECK(stored.incidents.at(other).signal_count == 2);  // as it was
        CHECK(stored.incidents.at(*heir).signal_count == 5);
        const auto told = stored.history(other);
        CHECK(std::find(told.begin(), told.end(), "merged") != told.end());
        const auto took = stored.history(*heir);
        CHECK(std::find(took.begin(), took.end(), "merged") != took.end());
    }
}

TEST_CASE("findings of one principal within a day are related, not merged; further apart they are strangers") {
    for (const auto gap : {24h, 25h}) {
        LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}, 1h)), shared(pattern_of("q", {{"c"}, {"d"}}, 1h))}};
        story.signal(signal_of("a", 0min, "alice")).signal(signal_of("b", 10min, "alice"));
        story.signal(signal_of("c", 10min + gap, "alice")).signal(signal_of("d", 20min + gap, "alice"));
        Stored& stored = story.stored();
        REQUIRE(stored.live_incidents().size() == 2);
        CHECK(stored.incidents.at(first).related == (gap == 24h ? std::vector{second} : std::vector<IncidentNumber>{}));
        CHECK(stored.incidents.at(second).related == (gap == 24h ? std::vector{first} : std::vector<IncidentNumber>{}));
    }
}

TEST_CASE("an incident names at most fifty related ones") {
    Catalogue patterns;
    for (int i = 0; i < 60; ++i) {
        const std::string name = std::to_string(i);
        patterns.push_back(shared(pattern_of("p" + name, {{"a" + name}, {"b" + name}})));
    }
    LaneStory story{patterns};
    for (int i = 0; i < 60; ++i) {
        const std::string name = std::to_string(i);
        story.signal(signal_of("a" + name, 2 * i * 1min, "alice")).signal(signal_of("b" + name, (2 * i + 1) * 1min, "alice"));
    }
    REQUIRE(story.stored().live_incidents().size() == 60);
    for (const IncidentRecord& incident : story.stored().live_incidents()) CHECK(incident.related.size() <= 50);
    CHECK(story.stored().incidents.at(first).related.size() == 50);
}

TEST_CASE("an incident lists five hundred entities, principals first, and says how many there are") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
    story.signal(signal_of("a", 0min, "zoe"));
    for (int i = 0; i < 100; ++i) {
        Signal signal = signal_of("b", (i + 1) * 1min, "zoe");
        for (int k = 0; k < 6; ++k) signal.entities.push_back({"host", "h" + std::to_string(6 * i + k), "", true});
        story.signal(signal);
    }
    const IncidentRecord incident = story.stored().incidents.at(first);
    CHECK(incident.entities.size() == 500);
    CHECK(incident.entities.front() == EntityKey{"account", "zoe"});
    CHECK(incident.entity_total == 601);
}

TEST_CASE("what an incident lists does not depend on how often it is written") {
    for (const int signals : {20, 100}) {  // fewer entities than are listed, and more
        CAPTURE(signals);
        const auto with_hosts = [](const char* name, Duration after, const std::string& prefix, int i) {
            Signal signal = signal_of(name, after, "zoe");
            for (int k = 0; k < 6; ++k) signal.entities.push_back({"host", prefix + std::to_string((6 * i + k) * 7'919 % 10'007), "", true});
            return signal;
        };
        LaneStory often{overlapping()};
        LaneStory once{overlapping()};
        const auto both = [&](const auto& entry) {
            if constexpr (std::is_same_v<std::decay_t<decltype(entry)>, Signal>) {
                often.signal(entry).stored();
                once.signal(entry);
            } else {
                often.control(entry).stored();
                once.control(entry);
            }
        };
        both(signal_of("a", 0min, "zoe"));
        for (int i = 0; i < signals; ++i) both(with_hosts("b", (i + 1) * 1min, "m", i));
        for (int i = 0; i < 10; ++i) both(with_hosts("c", (200 + i) * 1min, "c", i));  // before the others in the list
        REQUIRE(often.stored().incidents.size() == 1);
        CHECK(often.stored().incidents.at(first).entity_total == 1 + 6 * (signals + 10));
        CHECK(often.stored().incidents.at(first).entities == once.stored().incidents.at(first).entities);

        std::vector<FindingId> leaving;
        for (const FindingRecord& finding : often.stored().live_findings()) {
            if (finding.pattern == "q") leaving.push_back(finding.id);
        }
        both(IncidentSplit{.number = first, .findings = leaving, .reason = "", .actor = "key"});
        for (int i = 0; i < 3; ++i) both(with_hosts("b", (300 + i) * 1min, "d", i));
        for (const IncidentNumber number : {first, second}) {
            CAPTURE(number.value());
            const IncidentRecord incident = often.stored().incidents.at(number);
            CHECK(incident.entities == once.stored().incidents.at(number).entities);
            CHECK(incident.entity_total == once.stored().incidents.at(number).entity_total);
            CHECK(incident.summary == once.stored().incidents.at(number).summary);
            CHECK(std::any_of(incident.entities.begin(), incident.entities.end(), [](const EntityKey& key) { return key.value[0] == 'd'; }) ==
                  (number == first));
            CHECK(std::any_of(incident.entities.begin(), incident.entities.end(), [](const EntityKey& key) { return key.value[0] == 'c'; }) ==
                  (number == second));
        }
    }
}

TEST_CASE("the history of growth thins out, the record does not") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
    story.signal(signal_of("a", 0min, "alice"));
    for (int i = 1; i <= 200; ++i) story.signal(signal_of("b", i * 1min, "alice"));
    CHECK(story.stored().incidents.at(first).signal_count == 201);
    const auto lines = story.stored().history(first);
    CHECK(std::count(lines.begin(), lines.end(), "evidence_added") == 30 + 2);  // each up to 32, then 64 and 128
}
