#include "engine/scoring/score.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

using namespace catenary::engine;

namespace {

const ScoringParameters defaults;

ScoreInput input(std::string stage, std::string source, double confidence) {
    const double bits = weight_bits(confidence, defaults);
    return {std::move(stage), std::move(source), confidence, bits};
}

double sum_of(const Score& score) {
    double total = score.prior_bits;
    for (const auto& part : score.contributions) total += part.bits;
    total += score.domain_bonus_bits;
    return total + score.phase_bonus_bits;
}

}  // namespace

TEST_CASE("two weak signals of two sources and domains make a strong finding") {
    // python3: from math import log2; p=log2(.01/.99); w=log2(.35/.65)-p; t=p+2*w+1; print(p, w, t, 1/(1+2**-t))
    //          -6.6293566200796095 5.7362718239961215 5.8431870279126334 0.9828791409178402
    const auto result = score({input("access", "entra_id", 0.35), input("persistence", "o365", 0.35)}, 2, 1, defaults);
    CHECK(result.prior_bits == doctest::Approx(-6.6293566).epsilon(1e-7));
    REQUIRE(result.contributions.size() == 2);
    CHECK(result.contributions[0] == Contribution{"access", weight_bits(0.35, defaults), "own confidence 0.35"});
    CHECK(result.contributions[0].bits == doctest::Approx(5.7362718).epsilon(1e-7));
    CHECK(result.contributions[1].bits == result.contributions[0].bits);
    CHECK(result.domain_bonus_bits == 1.0);
    CHECK(result.phase_bonus_bits == 0.0);
    CHECK(result.total_bits == doctest::Approx(5.8431870).epsilon(1e-7));
    CHECK(result.probability == doctest::Approx(0.98287914).epsilon(1e-7));
}

TEST_CASE("each further contribution of one source counts less") {
    const auto result = score({input("a", "edr", 0.2), input("b", "edr", 0.5), input("c", "mail", 0.3), input("d", "edr", 0.4)}, 1, 0, defaults);
    REQUIRE(result.contributions.size() == 4);
    const auto of = [&](std::string_view stage) {
        return *std::find_if(result.contributions.begin(), result.contributions.end(), [&](const auto& part) { return part.stage == stage; });
    };
    CHECK(of("b").bits == weight_bits(0.5, defaults));
    CHECK(of("d").bits == doctest::Approx(0.7 * weight_bits(0.4, defaults)));
    CHECK(of("a").bits == doctest::Approx(0.49 * weight_bits(0.2, defaults)));
    CHECK(of("c").bits == weight_bits(0.3, defaults));
    CHECK(of("d").reason == "own confidence 0.4; second of source edr: × 0.7");
    CHECK(of("a").reason == "own confidence 0.2; third of source edr: × 0.49");
    CHECK(std::is_sorted(result.contributions.begin(), result.contributions.end(), [](const auto& left, const auto& right) { return left.bits > right.bits; }));
}

TEST_CASE("of several offers of one stage the heaviest counts") {
    const auto result = score({input("a", "edr", 0.2), input("a", "mail", 0.6), input("a", "edr", 0.5)}, 1, 0, defaults);
    REQUIRE(result.contributions.size() == 1);
    CHECK(result.contributions[0] == Contribution{"a", weight_bits(0.6, defaults), "own confidence 0.6"});
}

TEST_CASE("the first domain and the first rise earn nothing") {
    CHECK(score({}, 0, 0, defaults).domain_bonus_bits == 0);
    CHECK(score({}, 1, 1, defaults).domain_bonus_bits == 0);
    CHECK(score({}, 4, 0, defaults).domain_bonus_bits == 3);
    CHECK(score({}, 1, 1, defaults).phase_bonus_bits == 0);
    CHECK(score({}, 1, 4, defaults).phase_bonus_bits == 1.5);
    CHECK(score({}, 1, 0, defaults).probability == doctest::Approx(0.01));
}

TEST_CASE("a weight is never below zero and its confidence is clipped") {
    CHECK(weight_bits(0, defaults) == 0);
    CHECK(weight_bits(0.01, defaults) == 0);
    CHECK(weight_bits(0.0099, defaults) == 0);
    CHECK(weight_bits(0.011, defaults) > 0);
    CHECK(weight_bits(1, defaults) == weight_bits(0.999, defaults));
    CHECK(weight_bits(0.999, defaults) == doctest::Approx(16.5936975));  // python3: log2(999) + log2(99)
    CHECK(weight_bits(0.5, ScoringParameters{.base_rate = 0.5}) == 0);
}

TEST_CASE("property: a score does not depend on the order of its inputs and adds up exactly") {
    std::mt19937 random{5};
    for (int round = 0; round < 2000; ++round) {
        CAPTURE(round);
        std::vector<ScoreInput> inputs;
        for (auto left = random() % 8; left > 0; --left) {
            inputs.push_back(input(std::string(1, static_cast<char>('a' + random() % 6)), std::string(1, static_cast<char>('x' + random() % 3)),
                                   static_cast<double>(random() % 20) / 20));
        }
        const auto expected = score(inputs, random() % 4, random() % 4, defaults);
        CHECK(sum_of(expected) == expected.total_bits);
        CHECK(1 / (1 + std::exp2(-expected.total_bits)) == expected.probability);
        std::shuffle(inputs.begin(), inputs.end(), random);
        const auto shuffled = score(inputs, 1, 1, defaults);
        CHECK(shuffled.contributions == expected.contributions);
        CHECK(shuffled == score(inputs, 1, 1, defaults));
    }
}
