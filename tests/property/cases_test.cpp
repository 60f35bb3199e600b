#include "tests/property/decided.hpp"

#include <doctest/doctest.h>

using namespace catenary::property;

TEST_CASE("the cases drawn meet every construct") {
    constexpr std::uint32_t looked_at = 2000;
    constexpr int enough = 20;
    Decided decided;
    for (std::uint32_t seed = 0; seed < looked_at; ++seed) decided.look_at(random_case(seed));
    for (std::uint32_t seed = 0; seed < looked_at; ++seed) decided.look_at(varied_case(seed));
    for (std::uint32_t seed = 0; seed < looked_at; ++seed) decided.look_at(absence_case(seed));
    MESSAGE(decided.table());
    for (const auto& [construct, count] : decided.counts()) {
        CAPTURE(construct);
        CHECK(count >= enough);
    }
}
