#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

/// The findings of a pattern, each as its number of evidence signals, by (start, id).
std::vector<std::int64_t> findings(const Pattern& pattern, const std::vector<Signal>& signals) {
    LaneStory story{{shared(pattern)}};
    for (const auto& signal : signals) story.signal(signal);
    std::vector<std::int64_t> totals;
    for (const auto& finding : story.stored().live_findings()) totals.push_back(finding.evidence_total);
    return totals;
}
using Totals = std::vector<std::int64_t>;

Signal a(Duration at, const std::string& account = "alice") { return signal_of("a", at, account); }
Signal b(Duration at, const std::string& account = "alice") { return signal_of("b", at, account); }
Signal c(Duration at, const std::string& account = "alice") { return signal_of("c", at, account); }

Pattern guessing(std::int64_t at_least, Duration within) {
    Pattern pattern = pattern_of("guessing", {{"a"}}, 24h);
    pattern.stages[0].repeat = Repeat{at_least, within, "account", {}};
    return pattern;
}

}  // namespace

TEST_CASE("matching: a span of exactly the pattern's limit matches, a microsecond more does not") {
    const Pattern pattern = pattern_of("p", {{"a"}, {"b"}}, 4h);
    CHECK(findings(pattern, {a(1h), b(5h)}) == Totals{2});
    CHECK(findings(pattern, {a(1h), b(5h + 1us)}).empty());
}

TEST_CASE("matching: signals of one instant are in order, whichever arrives first") {
    const Pattern pattern = pattern_of("p", {{"a"}, {"b"}}, 4h);
    CHECK(findings(pattern, {a(1h), b(1h)}) == Totals{2});
    CHECK(findings(pattern, {b(1h), a(1h)}) == Totals{2});
    CHECK(findings(pattern, {b(1h), a(1h + 1us)}).empty());
}

TEST_CASE("matching: one signal completes one stage only") {
    const Pattern pattern = pattern_of("p", {{"a"}, {"a"}}, 4h);
    CHECK(findings(pattern, {a(1h)}).empty());
    CHECK(findings(pattern, {a(1h), a(2h)}) == Totals{2});
}

TEST_CASE("matching: another account's signal does not help") { CHECK(findings(pattern_of("p", {{"a"}, {"b"}}, 4h), {a(1h), b(2h, "bob")}).empty()); }

TEST_CASE("matching: an optional stage may stay empty in every place, and is evidence where it was reached") {
    CHECK(findings(pattern_of("p", {{"a", true}, {"b"}, {"c"}}, 4h), {b(1h), c(2h)}) == Totals{2});
    CHECK(findings(pattern_of("p", {{"a"}, {"b", true}, {"c"}}, 4h), {a(1h), c(2h)}) == Totals{2});
    CHECK(findings(pattern_of("p", {{"a"}, {"b"}, {"c", true}}, 4h), {a(1h), b(2h)}) == Totals{2});
    CHECK(findings(pattern_of("p", {{"a"}, {"b", true}, {"c"}}, 4h), {a(1h), b(90min), c(2h)}) == Totals{3});
}

TEST_CASE("matching: a repeat of exactly k signals within exactly d completes") {
    CHECK(findings(guessing(3, 10min), {a(1h), a(1h + 5min), a(1h + 10min)}) == Totals{3});
    CHECK(findings(guessing(3, 10min), {a(1h), a(1h + 5min), a(1h + 10min + 1us)}).empty());
    CHECK(findings(guessing(4, 10min), {a(1h), a(1h + 5min), a(1h + 10min)}).empty());
}

TEST_CASE("matching: a signal counts as its count in a repeat") {
    Signal aggregated = a(1h);
    aggregated.count = 20;
    CHECK(findings(guessing(20, 10min), {aggregated}) == Totals{1});
    CHECK(findings(guessing(21, 10min), {aggregated}).empty());
}

TEST_CASE("matching: a repeat of distinct values counts each value once") {
    Pattern pattern = guessing(2, 10min);
    pattern.stages[0].repeat->distinct = Field{Field::Kind::entity, "ip"};
    const auto from = [](Duration at, const std::string& address) {
        Signal signal = a(at);
        signal.entities.push_back({"ip", address, "source", true});
        return signal;
    };
    CHECK(findings(pattern, {from(1h, "203.0.113.1"), from(1h + 1min, "203.0.113.1")}).empty());
    CHECK(findings(pattern, {from(1h, "203.0.113.1"), from(1h + 1min, "203.0.113.2")}) == Totals{2});
}

TEST_CASE("matching: instances that share a signal are one finding, others are findings of their own") {
    const Pattern pattern = pattern_of("p", {{"a"}, {"b"}}, 4h);
    CHECK(findings(pattern, {a(1h), b(2h), b(3h)}) == Totals{3});
    CHECK(findings(pattern, {a(1h), b(2h), a(12h), b(13h)}) == Totals{2, 2});
}

TEST_CASE("matching: a signal of two accounts joins what happened to both") {
    const Pattern pattern = pattern_of("p", {{"a"}, {"b"}}, 4h);
    Signal both = b(3h);
    both.entities.push_back({"account", "bob", "target", true});
    CHECK(findings(pattern, {a(1h), a(2h, "bob"), both}) == Totals{3});
}

TEST_CASE("matching: a chain of one stage has no pair that an entity links, so its finding is of nobody; under `same` it is of who is named") {
    for (const auto link : {LinkMode::chain, LinkMode::same}) {
        for (const bool repeated : {false, true}) {
            CAPTURE(link == LinkMode::chain);
            CAPTURE(repeated);
            Pattern pattern = repeated ? guessing(2, 1h) : pattern_of("p", {{"a"}}, 24h);
            pattern.link = link;
            LaneStory story{{shared(pattern)}};
            story.signal(a(1h)).signal(a(1h + 1min));
            const auto found = story.stored().live_findings();
            REQUIRE(found.size() == (repeated ? 1U : 2U));
            CHECK(found.front().principals.empty() == (link == LinkMode::chain));
        }
    }
}

TEST_CASE("matching: a finding spans at most max_span, the instance that would exceed it opens the next") {
    Pattern pattern = pattern_of("p", {{"a"}, {"b"}}, 4h);
    pattern.max_span = 6h;
    CHECK(findings(pattern, {a(1h), b(4h), a(5h), b(7h)}).size() == 2);  // apart anyway: b(4h) and a(5h) share nothing
    // a(1h) b(3h) | a(2h) b(6h) share b(3h) by a(2h) b(3h); b(6h) is 5 h after the start, b(7h + 1us) more than six
    CHECK(findings(pattern, {a(1h), a(2h), b(3h), b(6h)}) == Totals{4});
    CHECK(findings(pattern, {a(1h), a(3h + 1us), b(4h), b(7h)}) == Totals{4});
    CHECK(findings(pattern, {a(1h), a(3h + 1us), b(4h), b(7h + 1us)}) == Totals{3, 2});
}
