#pragma once

#include "server/backtest/backtest_worker.hpp"
#include "server/config/settings.hpp"
#include "server/ingest/committer.hpp"
#include "server/lanes/lane_worker.hpp"
#include "server/pg/database.hpp"
#include "server/pg/lane_progress.hpp"
#include "server/pg/leaf_retention.hpp"
#include "server/pg/leaf_sealer.hpp"
#include "server/pg/storage_room.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace catenary::server {

/// The time of day as the server passes it down.
engine::Timestamp wall_clock();
/// Written to lane.owner, for people.
std::string process_name();

/// From submitted signals to results: what runs whether or not anybody reads. Its members are for who serves them (`Serving`); they work from construction on.
class Pipeline {
public:
    /// Both arguments' values are read now; `database` outlives it. Throws as its parts do.
    Pipeline(const config::Settings& settings, pg::Database& database);

    /// In reverse; every request that waits for a commit is answered.
    void stop();

    /// Why nobody should be sent here now; empty: everything runs.
    std::optional<std::string> not_ready() const;
    /// Signals committed here that no lane has read yet.
    std::int64_t lag() const;
    /// Why no more signals are taken: more of them are behind than --max-lag allows.
    std::optional<std::string> stalled() const;
    /// Signals wait to be stored, or results are behind: what is not urgent waits.
    bool is_busy() const;

    std::unique_ptr<pg::StorageRoom> room;  ///< of a private PostgreSQL
    Watermarks watermarks;
    SourceRegistry sources;
    HandOff hand_off;
    pg::LaneProgress progress;
    LaneWorker lanes;
    pg::LeafRetention retention;
    Committer committer;
    pg::LeafSealer sealer;
    BacktestWorker backtests;

private:
    const std::int64_t most_lag_;
};

}  // namespace catenary::server
