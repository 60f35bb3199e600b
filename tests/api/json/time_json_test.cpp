#include "api/json/time_json.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace catenary;
using namespace std::chrono_literals;
using api::json::format_iso_duration;
using api::json::format_span;
using api::json::format_time;
using api::json::parse_span;
using api::json::parse_time;

namespace {

std::int64_t micros_of(std::string_view text) {
    const auto time = parse_time(text);
    return time ? engine::to_micros(*time) : -1;
}

}  // namespace

TEST_CASE("RFC 3339 times are read at their instant, whatever the offset") {
    // date -u -d 2026-03-05T22:47:11Z +%s  ->  1772750831
    CHECK(micros_of("2026-03-05T22:47:11Z") == 1'772'750'831'000'000);
    CHECK(micros_of("2026-03-06T00:17:11+01:30") == 1'772'750'831'000'000);
    CHECK(micros_of("2026-03-05t14:47:11-08:00") == 1'772'750'831'000'000);
    CHECK(micros_of("2026-03-05T22:47:11z") == 1'772'750'831'000'000);
    CHECK(micros_of("2026-03-05T22:47:11.5Z") == 1'772'750'831'500'000);
    CHECK(micros_of("2026-03-05T22:47:11.000001Z") == 1'772'750'831'000'001);
    CHECK(micros_of("2026-03-05T22:47:11.123456789Z") == 1'772'750'831'123'456);
    CHECK(micros_of("1970-01-01T00:00:00-00:00") == 0);
    CHECK(micros_of("2000-02-29T00:00:00Z") == 951'782'400'000'000);
    CHECK(micros_of("9999-12-31T23:59:59.999999Z") == 253'402'300'799'999'999);
}

TEST_CASE("what is no RFC 3339 time is refused") {
    for (const auto* text : {"",
                             "2026",
                             "2026-03-05",
                             "2026-03-05T22:47:11",
                             "2026-03-05 22:47:11Z",
                             "2026-03-05T22:47Z",
                             "2026-3-5T22:47:11Z",
                             "2026-02-29T00:00:00Z",
                             "1900-02-29T00:00:00Z",
                             "2026-13-01T00:00:00Z",
                             "2026-00-01T00:00:00Z",
                             "2026-04-31T00:00:00Z",
                             "2026-03-05T24:00:00Z",
                             "2026-03-05T22:60:00Z",
                             "2026-12-31T23:59:60Z",
                             "2026-03-05T22:47:11.Z",
                             "2026-03-05T22:47:11.1234567890Z",
                             "2026-03-05T22:47:11+0100",
                             "2026-03-05T22:47:11+24:00",
                             "2026-03-05T22:47:11+01:60",
                             "2026-03-05T22:47:11+01",
                             "2026-03-05T22:47:11Zx",
                             " 2026-03-05T22:47:11Z",
                             "2026-03-05T22:47:11Z ",
                             "+2026-03-05T22:47:11Z",
                             "2026-03-05T22:47:-1Z",
                             "1969-12-31T23:59:59Z",
                             "1970-01-01T00:00:00+00:01",
                             "9999-12-31T23:59:59-00:01",
                             "2026-03-05T22:47:11,5Z",
                             "1772750831",
                             "0000-01-01T00:00:00Z"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_time(text).has_value());
    }
}

TEST_CASE("property: a written time reads back as itself and has the shortest of three forms") {
    std::mt19937_64 random{20260305};
    std::uniform_int_distribution<std::int64_t> any{0, 253'402'300'799'999'999};
    for (int round = 0; round < 20'000; ++round) {
        auto micros = any(random);
        if (round % 3 == 0) micros -= micros % 1'000'000;
        if (round % 3 == 1) micros -= micros % 1'000;
        const auto text = format_time(engine::from_micros(micros));
        CAPTURE(text);
        REQUIRE(micros_of(text) == micros);
        const std::size_t expected = micros % 1'000'000 == 0 ? 20 : micros % 1'000 == 0 ? 24 : 27;
        REQUIRE(text.size() == expected);
    }
}

TEST_CASE("property: no text of the alphabet of times crashes, and what is read is written back to the same instant") {
    std::mt19937 random{7};
    constexpr std::string_view alphabet = "0123456789-:.TZ+";
    for (int round = 0; round < 50'000; ++round) {
        std::string text = "2026-03-05T22:47:11.25+01:00";
        for (int edits = 0; edits < 2; ++edits) text[random() % text.size()] = alphabet[random() % alphabet.size()];
        if (random() % 4 == 0) text.resize(random() % text.size());
        CAPTURE(text);
        if (const auto time = parse_time(text)) REQUIRE(parse_time(format_time(*time)) == time);
    }
}

TEST_CASE("spans of documents are whole numbers of one unit, up to 400 days") {
    CHECK(parse_span("90s") == engine::Duration{90s});
    CHECK(parse_span("30m") == engine::Duration{30min});
    CHECK(parse_span("24h") == engine::Duration{24h});
    CHECK(parse_span("14d") == engine::Duration{14 * 24h});
    CHECK(parse_span("400d") == engine::Duration{400 * 24h});
    CHECK(parse_span("9600h") == engine::Duration{400 * 24h});
    for (const auto* text :
         {"", "s", "10", "0s", "-1h", "+1h", "1.5h", "1 h", "1H", "1h ", " 1h", "1w", "401d", "9601h", "99999999999999999999d", "1h30m", "PT1H"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_span(text).has_value());
    }
    for (const auto* text : {"1s", "90s", "90m", "1h", "24h", "36h", "2d", "400d"}) {
        CAPTURE(text);
        CHECK(format_span(*parse_span(text)) == text);
    }
    CHECK(format_span(*parse_span("3600s")) == "1h");
}

TEST_CASE("durations of replies are ISO 8601") {
    CHECK(format_iso_duration(0s) == "PT0S");
    CHECK(format_iso_duration(22min + 49s) == "PT22M49S");
    CHECK(format_iso_duration(4h) == "PT4H");
    CHECK(format_iso_duration(26h) == "P1DT2H");
    CHECK(format_iso_duration(48h) == "P2D");
    CHECK(format_iso_duration(250ms) == "PT0.25S");
    CHECK(format_iso_duration(1s + 1us) == "PT1.000001S");
    CHECK(format_iso_duration(10s) == "PT10S");
    CHECK(format_iso_duration(-90s) == "-PT1M30S");
}
