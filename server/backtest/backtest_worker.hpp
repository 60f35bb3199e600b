#pragma once

#include "server/backtest/backtest.hpp"
#include "server/backtest/interrupt.hpp"
#include "server/observe/recurrence.hpp"
#include "server/pg/job_queue.hpp"
#include "server/rounds.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace catenary::server {

struct BacktestWorkerOptions {
    std::string dsn;                            ///< acts as catenary_lane
    std::chrono::milliseconds round{500};       ///< between looks for a job
    std::chrono::milliseconds beat{250};        ///< how often a running job tells how far it is, and asks whether it is still wanted
    std::chrono::milliseconds silence{10'000};  ///< a job whose server says nothing for so long is begun anew by another
    int most_claims = 3;                        ///< a job whose server died so often is given up
    std::chrono::hours kept{24 * 7};            ///< how long a job that has ended is kept
    std::function<bool()> is_busy = {};         ///< the server has more urgent work; any thread
};

/// Runs the backtests that wait, one at a time, on a thread and connections of its own and at a lower priority than everything else. Several processes on one database
/// may run one each.
class BacktestWorker {
public:
    explicit BacktestWorker(BacktestWorkerOptions options);
    BacktestWorker(const BacktestWorker&) = delete;
    BacktestWorker& operator=(const BacktestWorker&) = delete;

    void start();
    /// Gives back what it is at, to be begun anew. Idempotent.
    void stop();

    /// Runs the next job, if there is one, to its end; whether there was one.
    bool run_once();

    /// Counters of this process; they only grow.
    struct Usage {
        bool running = false;
        std::int64_t done = 0, failed = 0, cancelled = 0;
        std::int64_t signals = 0;  ///< read for jobs that are done
    };
    Usage usage() const;

private:
    void run(const pg::ClaimedJob& job);
    void report_failure(const pg::ClaimedJob& job, const std::string& reason, const std::string& shown);
    void forget_old();

    BacktestWorkerOptions options_;
    pg::JobQueue queue_;
    std::chrono::steady_clock::time_point next_forgetting_{};
    observe::Recurrence failures_;          // of looks for a job
    mutable std::mutex mutex_;              // guards the two below
    std::shared_ptr<Interrupt> interrupt_;  ///< of the job that runs
    Usage usage_;
    std::atomic<bool> stopping_ = false;
    Rounds rounds_;
};

}  // namespace catenary::server
