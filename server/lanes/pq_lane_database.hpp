#pragma once

#include "server/lanes/lane_database.hpp"
#include "server/lanes/lane_worker.hpp"

namespace catenary::server {

/// PostgreSQL, as catenary_lane.
class PqLaneDatabase final : public LaneDatabase {
public:
    explicit PqLaneDatabase(LaneWorkerOptions options) : options_{std::move(options)} {}

    std::unique_ptr<LaneSession> connect() override;
    std::unique_ptr<ResultStore> results() override;
    std::unique_ptr<SnapshotKeeper> snapshot_keeper(ProgressBoard& board) override;

private:
    const LaneWorkerOptions options_;
};

}  // namespace catenary::server
