#include "api/json/backtest_json.hpp"

#include "tests/support/fake_api.hpp"
#include "tests/support/schema_check.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace catenary;
using nlohmann::json;

TEST_CASE("a report has every member that the contract gives it, and numbers a day count whole intervals") {
    api::json::BacktestReport report;
    report.pattern = "own";
    report.version = 2;
    report.from = tests::at("2026-03-01T00:00:00Z");
    report.to = tests::at("2026-03-05T00:00:00Z");
    report.read_from = tests::at("2026-02-28T00:00:00Z");
    report.signals = 10;
    report.findings_total = 6;
    report.days = {{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}, 6, 1}};
    report.findings = {{tests::finding_of_two(), {}}};
    report.findings[0].record.mode = engine::Mode::off;
    report.findings[0].record.incident.reset();
    const auto id = tests::finding_of_two().id;
    report.comparison = {1, 1, 5, 0, true, {{id, id}}, {id}, {}};

    api::ports::Job job;
    job.id = "5c0ffee0-0000-4000-8000-000000000001";
    job.state = api::ports::JobState::done;
    job.result_json = to_json(report).dump();
    job.request.from = job.request.to = job.created = report.to;
    tests::FakeApi api;  // holds every reply to the contract
    api.jobs.rows = {job};
    const auto reply = api.get("/api/v1/jobs/" + job.id);
    REQUIRE(reply.status == 200);
    const auto& result = reply.body["result"];
    CHECK(result["findings_a_day"] == 1.5);
    CHECK(result["days"] == json{{{"day", "2026-03-01"}, {"backtest", 6}, {"production", 1}}});
    CHECK(result["complete"] == true);
    CHECK(result["comparison"]["only_backtest"] == 5);
    CHECK(result["findings"][0]["incident"].is_null());

    report.to = tests::at("2026-03-01T06:00:00Z");  // some hours count as a day
    report.stopped = "too many";
    const auto short_one = to_json(report);
    CHECK(short_one["findings_a_day"] == 6.0);
    CHECK(short_one["complete"] == false);
}
