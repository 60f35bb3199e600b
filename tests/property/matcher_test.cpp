#include "tests/property/matcher_run.hpp"
#include "tests/property/shrink.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

using namespace catenary;
using namespace catenary::property;

namespace {

constexpr std::uint32_t cases = 100'000;
constexpr std::uint32_t long_cases = 20'000;
constexpr std::uint32_t varied_cases = 40'000;
constexpr std::uint32_t absence_cases = 60'000;

SeenFindings found(const Case& c) {
    MatcherRun run{c.pattern, c.effective_from};
    for (const auto& signal : c.signals) run.add(signal);
    run.move_watermark(c.watermark_after(c.signals.size()));
    return run.settle();
}

void compare_with_oracle(const Case& c, std::uint32_t seed) {
    const bool agrees = !disagreement(c);
    CHECK(agrees);
    if (agrees) return;
    const Case smallest = shrunk(c, [](const Case& candidate) { return disagreement(candidate).has_value(); });
    const std::string text = "seed " + std::to_string(seed) + ", shrunk:\n" + readable(smallest) + *disagreement(smallest);
    FAIL(text);  // the first is enough: the others are most likely the same
}

}  // namespace

TEST_CASE("property: the matcher agrees with the oracle") {
    for (const auto seed : tests::seeds(0, cases)) compare_with_oracle(random_case(seed), seed);
}

TEST_CASE("property: the matcher agrees with the oracle on findings that are cut while they grow") {
    for (const auto seed : tests::seeds(0, long_cases)) compare_with_oracle(long_case(seed), seed);
}

TEST_CASE("property: the matcher agrees with the oracle on any order, chains and limits on gaps") {
    for (const auto seed : tests::seeds(0, varied_cases)) compare_with_oracle(varied_case(seed), seed);
}

TEST_CASE("property: the matcher agrees with the oracle on what must be absent") {
    for (const auto seed : tests::seeds(0, absence_cases)) compare_with_oracle(absence_case(seed), seed);
}

TEST_CASE("property: what must be absent takes away and adds nothing, and in the end nothing waits") {
    std::size_t decided = 0;
    const auto tried = tests::seeds(absence_cases, 4000);
    for (const auto seed : tried) {
        CAPTURE(seed);
        Case c = absence_case(seed);
        c.pattern.required_domains.reset();
        const auto judged = found(c);
        std::set<engine::SignalRef> evidence;
        for (const auto& [id, finding] : judged) {
            for (const auto& [ref, stage] : finding.evidence) evidence.insert(ref);
        }
        c.watermark = engine::Timestamp{std::chrono::days{1}};
        for (const auto& [id, finding] : found(c)) {
            CHECK(!finding.waiting_until);
            for (const auto& [ref, stage] : finding.evidence) CHECK(evidence.contains(ref));  // it was known while it waited
        }
        c.pattern.absent.clear();
        for (auto& signal : c.signals) signal.unwanted = 0;
        std::set<engine::SignalRef> without;
        for (const auto& [id, finding] : found(c)) {
            for (const auto& [ref, stage] : finding.evidence) without.insert(ref);
        }
        if (!std::includes(without.begin(), without.end(), evidence.begin(), evidence.end())) FAIL(readable(absence_case(seed)));
        decided += evidence != without ? 1u : 0u;
    }
    CHECK(decided > tried.size() / 20);
}

TEST_CASE("property: the order of arrival does not show") {
    std::mt19937 random{17};
    for (const auto seed : tests::seeds(cases, 1200)) {
        CAPTURE(seed);
        Case c = seed % 6 == 0 ? large_case(seed, 120) : seed % 6 == 1 ? varied_case(seed) : seed % 6 == 2 ? absence_case(seed) : random_case(seed);
        const auto expected = found(c);
        for (int times = 0; times < 3; ++times) {
            std::shuffle(c.signals.begin(), c.signals.end(), random);
            CHECK(found(c) == expected);
        }
    }
}

namespace {

/// What is found when after each signal all is forgotten that no later one can reach; empty: as without forgetting, and in the end nothing is held.
/// `gave_up_early`: something was forgotten before the last signal.
std::optional<std::string> forgetting_shows(const Case& c, bool& gave_up_early) {
    const auto is_earlier = [](const oracle::Signal& left, const oracle::Signal& right) { return left.ref.time < right.ref.time; };
    MatcherRun forgetful{c.pattern, c.effective_from};
    for (auto signal = c.signals.begin(); signal != c.signals.end(); ++signal) {
        auto horizon = std::min_element(signal, c.signals.end(), is_earlier)->ref.time;  // nothing earlier is still to come
        if (!c.pattern.absent.empty()) {
            const auto watermark = c.watermark_after(static_cast<std::size_t>(signal - c.signals.begin()));
            forgetful.move_watermark(watermark);
            horizon = std::min(horizon, watermark);
        }
        forgetful.expire(horizon);
        forgetful.add(*signal);
    }
    forgetful.move_watermark(c.watermark_after(c.signals.size()));
    gave_up_early = forgetful.held() < c.signals.size();
    const auto expected = found(c);
    if (forgetful.settle() != expected) return "expected:\n" + as_text(expected) + "found:\n" + as_text(forgetful.settle());
    if (c.signals.empty()) return std::nullopt;
    forgetful.expire(std::max_element(c.signals.begin(), c.signals.end(), is_earlier)->ref.time + std::chrono::days{30});
    if (forgetful.held() != 0) return "something is held for ever";
    if (!forgetful.breaches().empty()) return forgetful.breaches().front();
    return std::nullopt;
}

}  // namespace

TEST_CASE("property: forgetting what no later signal can reach does not show") {
    const auto tried = tests::seeds(cases, 5000);
    std::size_t gave_up_early = 0;
    for (const auto seed : tried) {
        const Case c = seed % 5 == 0 ? varied_case(seed) : seed % 5 == 1 ? absence_case(seed) : random_case(seed);
        bool early = false;
        const bool shows = forgetting_shows(c, early).has_value();
        gave_up_early += early ? 1U : 0U;
        CHECK(!shows);
        if (!shows) continue;
        const Case smallest = shrunk(c, [&](const Case& candidate) { return forgetting_shows(candidate, early).has_value(); });
        const std::string text = "seed " + std::to_string(seed) + ", shrunk:\n" + readable(smallest) + *forgetting_shows(smallest, early);
        FAIL(text);
    }
    CHECK(gave_up_early > tried.size() / 8);
}
