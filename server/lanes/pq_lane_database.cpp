#include "server/lanes/pq_lane_database.hpp"

#include "server/lanes/pq_leadership.hpp"
#include "server/lanes/pq_log_reader.hpp"
#include "server/lanes/pq_result_store.hpp"
#include "server/lanes/pq_signal_finder.hpp"
#include "server/lanes/pq_snapshot_keeper.hpp"
#include "server/lanes/pq_snapshot_store.hpp"

namespace catenary::server {
namespace {

// Rows come in physical order by ranges of blocks: neither another scan's start nor a parallel plan may change that. A beat may get lost.
constexpr const char* settings_sql = "SET jit = off; SET synchronize_seqscans = off; SET max_parallel_workers_per_gather = 0; SET synchronous_commit = off";

PqConnection ready(const std::string& dsn) {
    PqConnection session{dsn};
    session.run(settings_sql);
    return session;
}

class PqLaneSession final : public LaneSession {
public:
    explicit PqLaneSession(const LaneWorkerOptions& options)
        : session_{ready(options.dsn)},
          leadership_{session_, options.silence},
          reader_{session_, options.read_back_bytes / 4 * 3},
          finder_{session_, options.read_back_bytes / 4},
          snapshots_{session_} {}

    bool good() const override { return session_.good(); }
    Leadership& leadership() override { return leadership_; }
    LogReader& log() override { return reader_; }
    SignalFinder& finder() override { return finder_; }
    SnapshotStore& snapshots() override { return snapshots_; }

private:
    PqConnection session_;
    PqLeadership leadership_;
    PqLogReader reader_;
    PqSignalFinder finder_;
    PqSnapshotStore snapshots_;
};

}  // namespace

std::unique_ptr<LaneSession> PqLaneDatabase::connect() { return std::make_unique<PqLaneSession>(options_); }
std::unique_ptr<ResultStore> PqLaneDatabase::results() { return std::make_unique<PqResultStore>(options_.dsn); }
std::unique_ptr<SnapshotKeeper> PqLaneDatabase::snapshot_keeper(ProgressBoard& board) {
    return std::make_unique<PqSnapshotKeeper>(options_.dsn, options_.snapshot_chunk_bytes, options_.snapshots_kept, board);
}

}  // namespace catenary::server
