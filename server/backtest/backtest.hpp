#pragma once

#include "api/json/backtest_json.hpp"
#include "api/ports/jobs.hpp"
#include "engine/model/ids.hpp"
#include "server/backtest/interrupt.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

namespace catenary::server {

/// How far a backtest is, for other threads.
struct BacktestProgress {
    std::atomic<std::int64_t> read{0};    ///< signals
    std::atomic<std::int64_t> total{-1};  ///< -1: not counted yet
};

struct BacktestSurroundings {
    std::string dsn;  ///< acts as catenary_lane
    Interrupt& interrupt;
    BacktestProgress& progress;
    std::function<bool()> is_busy;  ///< the server has more urgent work: pause between chunks; may be empty
};

/// Runs one pattern over what is stored, in a lane of its own: the code that runs live, on the signals of [from - what an instance may span, to]. The watermark is held and
/// moved on with each day that is finished, so that a signal is late where it was late when it came, and no other is. It links by what the tenant's settings and
/// notes say now. Memory is bounded by what the lane holds of the pattern's window and by FindingTally. Throws Interrupted, PqError, and std::invalid_argument on
/// a document that this program did not write.
api::json::BacktestReport run_backtest(engine::TenantId tenant, const api::ports::BacktestRequest& request, const BacktestSurroundings& around);

}  // namespace catenary::server
