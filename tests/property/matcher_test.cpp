#include "tests/property/matcher_run.hpp"
#include "tests/property/shrink.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace catenary;
using namespace catenary::property;

namespace {

constexpr std::uint32_t cases = 100'000;
constexpr std::uint32_t long_cases = 20'000;
constexpr std::uint32_t varied_cases = 40'000;

SeenFindings found(const Case& c) {
    MatcherRun run{c.pattern, c.effective_from};
    for (const auto& signal : c.signals) run.add(signal);
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

TEST_CASE("property: the order of arrival does not show") {
    std::mt19937 random{17};
    for (const auto seed : tests::seeds(cases, 1200)) {
        CAPTURE(seed);
        Case c = seed % 6 == 0 ? large_case(seed, 120) : seed % 6 == 1 ? varied_case(seed) : random_case(seed);
        const auto expected = found(c);
        for (int times = 0; times < 3; ++times) {
            std::shuffle(c.signals.begin(), c.signals.end(), random);
            CHECK(found(c) == expected);
        }
    }
}

TEST_CASE("property: forgetting what no later signal can reach does not show") {
    const auto tried = tests::seeds(cases, 5000);
    std::size_t gave_up_early = 0;
    for (const auto seed : tried) {
        CAPTURE(seed);
        const Case c = seed % 5 == 0 ? varied_case(seed) : random_case(seed);
        const auto is_earlier = [](const oracle::Signal& left, const oracle::Signal& right) { return left.ref.time < right.ref.time; };
        MatcherRun forgetful{c.pattern, c.effective_from};
        for (auto signal = c.signals.begin(); signal != c.signals.end(); ++signal) {
            forgetful.expire(std::min_element(signal, c.signals.end(), is_earlier)->ref.time);  // nothing earlier is still to come
            forgetful.add(*signal);
        }
        gave_up_early += forgetful.held() < c.signals.size() ? 1u : 0u;
        if (forgetful.settle() != found(c)) FAIL(readable(c));
        forgetful.expire(std::max_element(c.signals.begin(), c.signals.end(), is_earlier)->ref.time + std::chrono::days{30});
        CHECK(forgetful.held() == 0);
        for (const auto& breach : forgetful.breaches()) FAIL_CHECK(breach);
    }
    CHECK(gave_up_early > tried.size() / 8);
}
