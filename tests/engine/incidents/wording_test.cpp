#include "engine/incidents/wording.hpp"

#include <doctest/doctest.h>

using namespace catenary::engine;
using namespace std::chrono_literals;

TEST_CASE("times are said in UTC to the second") {
    CHECK(said_time(Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 3 / 5} + 22h + 7min + 1s + 999ms}) == "2026-03-05 22:07:01 UTC");
    CHECK(said_time(from_micros(-1)) == "1969-12-31 23:59:59 UTC");
}

TEST_CASE("spans are said in their two largest units") {
    CHECK(said_span(22min + 49s) == "22 min 49 s");
    CHECK(said_span(4h) == "4 h");
    CHECK(said_span(4h + 59s) == "4 h");
    CHECK(said_span(75h) == "3 d 3 h");
    CHECK(said_span(1500ms) == "1 s");
    CHECK(said_span(350ms) == "350 ms");
    CHECK(said_span(0s) == "0 s");
    CHECK(said_span(-(22min)) == "22 min");
}

TEST_CASE("numbers, counts and lists") {
    CHECK(said_number(0.98295, 3) == "0.983");
    CHECK(said_number(-6.6293, 2) == "-6.63");
    CHECK(said_count(1, "signal") == "1 signal");
    CHECK(said_count(0, "signal") == "0 signals");
    CHECK(said_list({}, 3).empty());
    CHECK(said_list({"a"}, 3) == "a");
    CHECK(said_list({"a", "b", "c"}, 3) == "a, b and c");
    CHECK(said_list({"a", "b", "c", "d"}, 2) == "a, b and 2 more");
}
