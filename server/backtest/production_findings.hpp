#pragma once

#include "api/json/backtest_json.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "server/backtest/finding_tally.hpp"
#include "server/backtest/interrupt.hpp"
#include "server/ingest/pq_connection.hpp"

#include <cstddef>
#include <string>

namespace catenary::server {

/// Compares what a backtest found with what production has of the pattern with activity in the interval (`report.from` to `report.to`), and fills `days` and `comparison` of
/// the report. Of production the first `most_compared` findings by start, each by its first 200 evidence signals. `connection` acts as catenary_lane. Throws PqError.
inline constexpr std::size_t most_compared = 10'000;
void compare_with_production(PqConnection& connection, Interrupt& interrupt, engine::TenantId tenant, const FindingTally& tally,
                             api::json::BacktestReport& report);

}  // namespace catenary::server
