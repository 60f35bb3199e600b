#include "server/observe/recurrence.hpp"

#include <doctest/doctest.h>

using catenary::server::observe::Recurrence;
using namespace std::chrono_literals;

TEST_CASE("what recurs is said when it begins, when it becomes something else, and once a round with how often it was") {
    Recurrence failures{60s};
    const Recurrence::Clock::time_point begin{1'000s};
    CHECK(failures.note("full", begin) == 1);
    for (int i = 1; i <= 100; ++i) CHECK(failures.note("full", begin + i * 10ms) == 0);
    CHECK(failures.note("full", begin + 60s) == 101);
    CHECK(failures.note("lost", begin + 61s) == 1);
    CHECK(failures.note("lost", begin + 62s) == 0);
    CHECK(failures.over() == 1);
    CHECK(failures.note("lost", begin + 63s) == 1);
}
