#include "engine/scoring/score.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <utility>

using namespace catenary::engine;

namespace {

std::size_t rises(std::initializer_list<std::pair<int, std::int64_t>> seen) {
    PhaseTimes times;
    for (const auto& [phase, micros] : seen) times.add(phase, from_micros(micros));
    return times.rises();
}

}  // namespace

TEST_CASE("tactics belong to the phases of an intrusion") {
    CHECK(phase_of("TA0043") == 0);
    CHECK(phase_of("TA0042") == 0);
    CHECK(phase_of("TA0001") == 1);
    for (const char* tactic : {"TA0002", "TA0003", "TA0004", "TA0005"}) CHECK(phase_of(tactic) == 2);
    for (const char* tactic : {"TA0006", "TA0007", "TA0008"}) CHECK(phase_of(tactic) == 3);
    for (const char* tactic : {"TA0009", "TA0011"}) CHECK(phase_of(tactic) == 4);
    for (const char* tactic : {"TA0010", "TA0040"}) CHECK(phase_of(tactic) == 5);
    for (const char* tactic : {"", "TA0012", "ta0001", "initial-access"}) CHECK(phase_of(tactic) == -1);
}

TEST_CASE("a rise is a higher phase than all before") {
    CHECK(rises({}) == 0);
    CHECK(rises({{3, 10}}) == 0);
    CHECK(rises({{1, 10}, {2, 20}}) == 1);
    CHECK(rises({{2, 20}, {1, 10}}) == 1);
    CHECK(rises({{2, 10}, {1, 20}}) == 0);
    CHECK(rises({{1, 10}, {3, 20}, {2, 30}, {5, 40}}) == 2);
    CHECK(rises({{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}}) == 5);
    CHECK(rises({{1, 30}, {1, 10}, {2, 20}}) == 1);
    CHECK(rises({{-1, 5}, {6, 5}, {1, 10}}) == 0);
}

TEST_CASE("the phases of one instant are one rise at most") {
    CHECK(rises({{1, 10}, {2, 10}, {5, 10}}) == 0);
    CHECK(rises({{1, 10}, {2, 20}, {5, 20}}) == 1);
    CHECK(rises({{1, 10}, {5, 20}, {2, 20}, {4, 30}}) == 1);
}
