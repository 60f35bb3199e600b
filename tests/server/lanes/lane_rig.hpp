#pragma once

#include "server/lanes/lane_worker.hpp"
#include "tests/support/ingest_rig.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace catenary::tests {

/// Asks until `done()` or 30 s have passed; whether it was done.
bool wait_until(const std::function<bool()>& done);

/// A lane worker fed by a committer, both on a test's database.
class LaneRig {
public:
    explicit LaneRig(TestDatabase& database, server::LaneWorkerOptions options = {});

    IngestRig& ingest() { return ingest_; }
    server::LaneWorker& worker() { return *worker_; }
    server::pg::LaneProgress& progress() { return progress_; }
    /// Of workers that are started from now on.
    server::LaneWorkerOptions& options() { return options_; }
    void start_worker();
    /// Makes a new worker, with an empty engine, and starts it.
    void restart_worker();

    /// Until every lane's results are committed up to the end of the log; false after 30 s.
    bool settle();
    bool wait_for(server::LeaderStatus::State state);

private:
    TestDatabase& database_;
    server::LaneWorkerOptions options_;
    IngestRig ingest_;
    server::pg::LaneProgress progress_;
    std::unique_ptr<server::LaneWorker> worker_;
};

/// One pattern: a risky sign-in, then an inbox rule by the same account within 4 h.
engine::Catalogue two_stage_catalogue();

/// A sign-in or an inbox rule of an account.
BatchBuilder::Item sign_in(const std::string& id, const std::string& account, std::chrono::microseconds after);
BatchBuilder::Item inbox_rule(const std::string& id, const std::string& account, std::chrono::microseconds after);

/// Every row of the result tables, in key order, without what depends on when a transaction ended.
std::string result_dump(TestDatabase& database);

}  // namespace catenary::tests
