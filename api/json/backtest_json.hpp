#pragma once

#include "api/ports/ports.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace catenary::api::json {

/// What a backtest found, and what production has of the same pattern in the same interval. Lists are cut, numbers are true.
struct BacktestReport {
    struct DayCount {
        std::chrono::sys_days day;  ///< on which findings begin; those that begin before the interval count on its first day
        std::int64_t backtest = 0;
        std::int64_t production = 0;
    };
    /// Two findings are the same where they have one id, or a signal in common.
    struct Comparison {
        std::int64_t production_total = 0;  ///< findings of production with activity in the interval
        std::int64_t both = 0;              ///< findings of the backtest that production has too
        std::int64_t only_backtest = 0;
        std::int64_t only_production = 0;
        bool complete = true;  ///< false: one side had more findings or evidence than are compared, and counts as found by it alone
        std::vector<std::pair<engine::FindingId, engine::FindingId>> pairs;  ///< (backtest, production), at most 100, as the others
        std::vector<engine::FindingId> missing_in_production;
        std::vector<engine::FindingId> missing_in_backtest;
    };

    std::string pattern;
    std::int32_t version = 1;
    engine::Timestamp from, to;          ///< of last completing signals
    engine::Timestamp read_from;         ///< where the signals that were read begin: what an instance in the interval may begin with
    std::int64_t signals = 0;            ///< read
    std::optional<std::string> stopped;  ///< why it ended before `to`; empty: it did not
    std::int64_t findings_total = 0;
    std::vector<DayCount> days;                        ///< only days with any
    std::vector<ports::FindingWithEvidence> findings;  ///< the first ones by (start, id)
    Comparison comparison;
};

nlohmann::ordered_json to_json(const BacktestReport& report);

enum class WithResult { no, yes };
/// A job as replies show it (the schema `Job` of openapi.yaml).
nlohmann::ordered_json to_json(const ports::Job& job, WithResult with);

}  // namespace catenary::api::json
