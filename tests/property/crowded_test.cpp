#include "tests/property/matcher_run.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <set>
#include <string>
#include <vector>

// Findings of hundreds and thousands of signals, where the oracle cannot follow. Two matchers that work differently read the same pattern: a limit on a gap
// that is no shorter than `within` says nothing, nor does a chain where every signal names one account, but either is matched signal by signal instead of
// account by account.

using namespace catenary;
using namespace catenary::property;

namespace {

engine::Pattern three_stages(std::uint32_t seed) {
    engine::Pattern pattern;
    pattern.id = "p";
    pattern.link = engine::LinkMode::same;
    pattern.link_kinds = {"account"};
    pattern.within = std::chrono::hours{6};
    pattern.strict = seed % 5 == 0;
    for (const char* id : {"first", "second", "third"}) pattern.stages.push_back({id, {}, false, {}, {}});
    pattern.stages[1].optional = seed % 3 == 0;
    if (seed % 4 == 1) pattern.stages[seed % 3].repeat = engine::Repeat{3, std::chrono::hours{1}, "account", {}};
    return pattern;
}

/// A third of the signals serve no stage that another one waits for.
std::vector<oracle::Signal> busy_accounts(std::uint32_t seed, std::size_t count, bool names_two) {
    std::mt19937 random{seed};
    const auto below = [&](std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); };
    std::vector<oracle::Signal> signals(count);
    engine::Timestamp time{std::chrono::hours{1000}};
    for (std::size_t i = 0; i < count; ++i) {
        oracle::Signal& signal = signals[i];
        if (below(10) > 0) time += std::chrono::seconds{1 + below(seed % 2 == 0 ? 120 : 900)};
        signal.ref = {time, "edr", "s" + std::to_string(i)};
        signal.stages = static_cast<engine::StageMask>(1U << below(3));
        signal.domain = "endpoint";
        signal.distinct.resize(3);
        signal.entities = {{"account", below(4)}};
        if (names_two && below(8) == 0) signal.entities = {{"account", 1}, {"account", 2 + below(2)}};
    }
    for (std::size_t i = 20; i < count; ++i) {
        if (below(30) == 0) std::swap(signals[i], signals[i - 1 - below(19)]);
    }
    return signals;
}

/// The size of the largest finding met.
std::size_t check_alike(const engine::Pattern& one, const engine::Pattern& other, const std::vector<oracle::Signal>& signals) {
    MatcherRun as_timelines{one, engine::Timestamp::min()};
    MatcherRun by_chains{other, engine::Timestamp::min()};
    MatcherRun at_once{other, engine::Timestamp::min()};
    std::size_t largest = 0;
    for (std::size_t i = 0; i < signals.size(); ++i) {
        as_timelines.add(signals[i]);
        by_chains.add(signals[i]);
        at_once.add(signals[i]);
        const SeenFindings& found = by_chains.settle();
        if (i % 100 != 99) continue;
        REQUIRE(found == as_timelines.settle());
        for (const auto& [id, finding] : found) largest = std::max(largest, finding.evidence.size());
    }
    CHECK(at_once.settle() == by_chains.settle());
    CHECK(by_chains.breaches().empty());
    CHECK(at_once.breaches().empty());
    return largest;
}

}  // namespace

TEST_CASE("property: findings of crowds are the same whether gaps are limited by what says nothing or not at all") {
    std::size_t largest = 0;
    const auto tried = tests::seeds(0, 60);
    for (const auto seed : tried) {
        CAPTURE(seed);
        engine::Pattern limited = three_stages(seed);
        limited.stages[1 + seed % 2].within = limited.within;
        largest = std::max(largest, check_alike(three_stages(seed), limited, busy_accounts(seed, 1500, true)));
    }
    if (tried.size() >= 60) CHECK(largest > 1000);
}

TEST_CASE("property: findings of crowds are the same for one account throughout and for a chain that names one account each") {
    std::size_t largest = 0;
    const auto tried = tests::seeds(1000, 60);
    for (const auto seed : tried) {
        CAPTURE(seed);
        engine::Pattern chain = three_stages(seed);
        chain.link = engine::LinkMode::chain;
        largest = std::max(largest, check_alike(three_stages(seed), chain, busy_accounts(seed, 1500, false)));
    }
    if (tried.size() >= 60) CHECK(largest > 300);
}

TEST_CASE("a group that grows without end closes its older half, and every signal is evidence of some finding") {
    engine::Pattern chain = three_stages(1);
    for (auto& stage : chain.stages) stage.repeat.reset();
    chain.link = engine::LinkMode::chain;
    chain.within = std::chrono::hours{24 * 7};
    MatcherRun run{chain, engine::Timestamp::min()};
    std::set<engine::SignalRef> sent;
    for (int i = 0; i < 12'000; ++i) {
        oracle::Signal signal;
        signal.ref = {engine::Timestamp{std::chrono::hours{1000}} + std::chrono::seconds{10} * i, "edr", "s" + std::to_string(i)};
        signal.stages = static_cast<engine::StageMask>(1U << (i % 3));
        signal.entities = {{"account", static_cast<std::uint32_t>(i % 2)}, {"account", 2}};
        signal.distinct.resize(3);
        run.add(signal);
        run.settle();
        sent.insert(signal.ref);
    }
    CHECK(run.breaches().empty());
    CHECK(run.capped() >= 4);
    CHECK(static_cast<double>(run.work()) / 12'000 < 20'000);
    std::set<engine::SignalRef> evidence;
    for (const auto& [id, finding] : run.settle()) {
        CHECK(finding.evidence.size() <= 4'096);
        for (const auto& [ref, stage] : finding.evidence) evidence.insert(ref);
    }
    CHECK(evidence == sent);
}
