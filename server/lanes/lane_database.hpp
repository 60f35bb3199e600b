#pragma once

#include "server/ingest/pq_error.hpp"
#include "server/lanes/leadership.hpp"
#include "server/lanes/log_reader.hpp"
#include "server/lanes/progress_board.hpp"
#include "server/lanes/result_store.hpp"
#include "server/lanes/signal_finder.hpp"
#include "server/lanes/snapshot_keeper.hpp"
#include "server/lanes/snapshot_store.hpp"

#include <memory>

namespace catenary::server {

/// A session with the database and what goes through it, one call at a time. When it broke, a call has thrown PqError and only a new one helps. One thread.
class LaneSession {
public:
    /// Whoever leads by this session leads no longer.
    virtual ~LaneSession() = default;
    virtual bool good() const = 0;
    virtual Leadership& leadership() = 0;
    virtual LogReader& log() = 0;
    virtual SignalFinder& finder() = 0;
    virtual SnapshotStore& snapshots() = 0;
};

/// All that a tenure needs of the database.
class LaneDatabase {
public:
    virtual ~LaneDatabase() = default;
    /// Throws PqError.
    virtual std::unique_ptr<LaneSession> connect() = 0;
    /// Apart from sessions: what is being written outlives them.
    virtual std::unique_ptr<ResultStore> results() = 0;
    /// `board` outlives it.
    virtual std::unique_ptr<SnapshotKeeper> snapshot_keeper(ProgressBoard& board) = 0;
};

}  // namespace catenary::server
