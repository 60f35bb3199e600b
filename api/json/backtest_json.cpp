#include "api/json/backtest_json.hpp"

#include "api/json/finding_json.hpp"
#include "api/json/time_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace catenary::api::json {

using Json = nlohmann::ordered_json;

namespace {

Json ids(const std::vector<engine::FindingId>& findings) {
    auto list = Json::array();
    for (const auto& finding : findings) list.push_back(text_of(finding));
    return list;
}

Json to_json(const BacktestReport::Comparison& comparison) {
    auto pairs = Json::array();
    for (const auto& [backtest, production] : comparison.pairs) pairs.push_back({{"backtest", text_of(backtest)}, {"production", text_of(production)}});
    return {{"production_total", comparison.production_total},
            {"both", comparison.both},
            {"only_backtest", comparison.only_backtest},
            {"only_production", comparison.only_production},
            {"complete", comparison.complete},
            {"pairs", std::move(pairs)},
            {"missing_in_production", ids(comparison.missing_in_production)},
            {"missing_in_backtest", ids(comparison.missing_in_backtest)}};
}

Json days_of(const BacktestReport& report) {
    auto days = Json::array();
    for (const auto& each : report.days) {
        const auto day = format_time(engine::Timestamp{each.day}).substr(0, 10);
        days.push_back({{"day", day}, {"backtest", each.backtest}, {"production", each.production}});
    }
    return days;
}

/// Whole days, at least one: what "a day" means for an interval of some hours.
double length_in_days(const BacktestReport& report) {
    return std::max(1.0, std::chrono::duration<double, std::ratio<86'400>>(report.to - report.from).count());
}

Json progress_of(const ports::Job& job) {
    Json progress{{"signals_read", job.read}, {"signals_total", nullptr}, {"percent", nullptr}};
    if (job.total) {
        progress["signals_total"] = *job.total;
        progress["percent"] = *job.total == 0 ? 100 : std::min<std::int64_t>(100, job.read * 100 / *job.total);
    }
    return progress;
}

}  // namespace

Json to_json(const BacktestReport& report) {
    auto findings = Json::array();
    for (const auto& finding : report.findings) findings.push_back(to_json(finding));
    return {{"pattern", report.pattern},
            {"version", report.version},
            {"from", format_time(report.from)},
            {"to", format_time(report.to)},
            {"read_from", format_time(report.read_from)},
            {"signals", report.signals},
            {"complete", !report.stopped},
            {"stopped", report.stopped ? Json(*report.stopped) : Json(nullptr)},
            {"findings_total", report.findings_total},
            {"findings_a_day", static_cast<double>(report.findings_total) / length_in_days(report)},
            {"days", days_of(report)},
            {"findings", std::move(findings)},
            {"comparison", to_json(report.comparison)}};
}

Json to_json(const ports::Job& job, WithResult with) {
    Json value{{"id", job.id},
               {"kind", "backtest"},
               {"state", to_string(job.state)},
               {"pattern", job.request.pattern},
               {"version", job.request.version},
               {"inline", job.request.is_inline},
               {"from", format_time(job.request.from)},
               {"to", format_time(job.request.to)},
               {"progress", progress_of(job)},
               {"created", format_time(job.created)},
               {"created_by", job.created_by}};
    if (job.started) value["started"] = format_time(*job.started);
    if (job.ended) value["ended"] = format_time(*job.ended);
    if (!job.error.empty()) value["error"] = job.error;
    if (with == WithResult::yes && !job.result_json.empty()) value["result"] = Json::parse(job.result_json);
    return value;
}

}  // namespace catenary::api::json
