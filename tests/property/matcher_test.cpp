#include "tests/property/matcher_run.hpp"
#include "tests/property/shrink.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace catenary;
using namespace catenary::property;

namespace {

constexpr std::uint32_t cases = 20'000;

SeenFindings found(const Case& c) {
    MatcherRun run{c.pattern, c.effective_from};
    for (const auto& signal : c.signals) run.add(signal);
    return run.settle();
}

}  // namespace

TEST_CASE("property: the matcher agrees with the oracle") {
    for (std::uint32_t seed = 0; seed < cases; ++seed) {
        const Case c = random_case(seed);
        if (!disagreement(c)) continue;
        const Case smallest = shrunk(c, [](const Case& candidate) { return disagreement(candidate).has_value(); });
        const std::string text = "seed " + std::to_string(seed) + ", shrunk:\n" + readable(smallest) + *disagreement(smallest);
        FAIL(text);  // the first is enough: the others are most likely the same
    }
}

TEST_CASE("property: the order of arrival does not show") {
    std::mt19937 random{17};
    for (std::uint32_t seed = cases; seed < cases + 1000; ++seed) {
        CAPTURE(seed);
        Case c = random_case(seed);
        const auto expected = found(c);
        for (int times = 0; times < 3; ++times) {
            std::shuffle(c.signals.begin(), c.signals.end(), random);
            CHECK(found(c) == expected);
        }
    }
}
