#include "api/json/record_text.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <random>
#include <stdexcept>

using namespace catenary;

TEST_CASE("a score read back from its text is the same bit for bit") {
    std::mt19937_64 random{7};
    for (int round = 0; round < 2000; ++round) {
        CAPTURE(round);
        const auto any = [&random] {
            const auto value = std::bit_cast<double>(random());
            return std::isfinite(value) ? value : 0.1;
        };
        engine::Score score{any(), {{"access", any(), "own confidence 0.35"}, {"p\"e\\rsistence\n", any(), "ü"}}, any(), any(), any(), any()};
        const auto back = api::json::score_from_text(api::json::score_to_text(score));
        CHECK(back == score);
        CHECK(std::signbit(back.prior_bits) == std::signbit(score.prior_bits));
    }
}

TEST_CASE("stages read back from their text are equal, empty optional members included") {
    using namespace std::chrono_literals;
    engine::StageSummary reached{"persistence",
                                 3,
                                 engine::SignalRef{engine::from_micros(1'772'749'631'000'001), "o365", "r/1"},
                                 {"name = suspicious_inbox_rule"},
                                 engine::Duration{22min},
                                 engine::Duration{4h},
                                 engine::EntityKey{"account", "a@ne.example"}};
    engine::StageSummary empty{"exfiltration", 0, {}, {}, {}, {}, {}};
    const std::vector<engine::StageSummary> stages{reached, empty};
    CHECK(api::json::stages_from_text(api::json::stages_to_text(stages)) == stages);
    CHECK(api::json::stages_from_text("[]").empty());
}

TEST_CASE("entities read back from their text are equal") {
    const std::vector<engine::EntityKey> entities{{"account", "j.morrison@ne.example"}, {"file", "c:\\a \"b\""}};
    CHECK(api::json::entity_keys_from_text(api::json::entity_keys_to_text(entities)) == entities);
}

TEST_CASE("damaged record text throws and says so") {
    CHECK_THROWS_AS(static_cast<void>(api::json::score_from_text("{\"prior\":1}")), std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(api::json::stages_from_text("[{]")), std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(api::json::entity_keys_from_text("[{\"kind\":1,\"value\":\"x\"}]")), std::invalid_argument);
}

TEST_CASE("what must be absent and what came late read back from their text equal") {
    engine::FindingRecord finding;
    CHECK_FALSE(api::json::absence_to_text(finding));
    finding.absences = {"name = x between a and \"b\"", "anything within 1 h after b"};
    finding.late_answers = {{engine::SignalRef{engine::from_micros(1'772'749'631'000'001), "o365", "r/1"}, "anything within 1 h after b"}};
    finding.more_late_answers = true;
    engine::FindingRecord back;
    api::json::read_absence(api::json::absence_to_text(finding).value(), back);
    CHECK(back.absences == finding.absences);
    CHECK(back.late_answers == finding.late_answers);
    CHECK(back.more_late_answers);
    for (const char* damaged : {"", "{}", R"({"awaited": [1], "late": [], "more": false})", R"({"awaited": [], "late": [{}], "more": false})"}) {
        CAPTURE(damaged);
        engine::FindingRecord record;
        CHECK_THROWS_AS(api::json::read_absence(damaged, record), std::invalid_argument);
    }
}
