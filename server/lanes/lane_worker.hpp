#pragma once

#include "engine/lane/lane.hpp"
#include "server/ingest/hand_off.hpp"
#include "server/ingest/source_registry.hpp"
#include "server/ingest/watermarks.hpp"
#include "server/lanes/snapshot_chunk.hpp"
#include "server/pace.hpp"
#include "server/pg/lane_progress.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace catenary::server {

struct LaneWorkerOptions {
    std::string dsn;                                      ///< libpq connection string that acts as catenary_lane (pg::Database::dsn)
    std::string owner;                                    ///< written to lane.owner, for people: host and process
    std::size_t chunk_entries = 5'000;                    ///< entries between two result transactions at most
    std::chrono::milliseconds chunk_time{20};             ///< and time; also how long an advanced `done` may stay unwritten
    std::chrono::milliseconds quiet_time{10};             ///< the same while nothing more is handed over: so many transactions a second cost nobody anything
    std::chrono::milliseconds poll{25};                   ///< how often the log is looked at when nothing was handed over or announced
    std::size_t read_back_bytes = 256U << 20U;            ///< memory for rows read out of order during replay
    std::chrono::milliseconds follow_poll{250};           ///< how often a follower asks whether it may lead, and reads what the leader has done
    std::chrono::milliseconds silence{10'000};            ///< a leader that says nothing for so long is taken to stand still
    std::int64_t snapshot_entries = 5'000'000;            ///< entries after which a leader saves its engines' state; 0: never
    std::chrono::milliseconds snapshot_time{600'000};     ///< and time, when anything changed
    int snapshots_kept = 3;                               ///< sets of snapshots that stay; older ones go
    std::size_t snapshot_chunk_bytes = most_chunk_bytes;  ///< 1 .. most_chunk_bytes, of a state, stored as one row
};

/// Saved states of the engines: what this process did with them.
struct SnapshotStatus {
    engine::Position position{0};         ///< of the newest one stored, or started from; 0: none
    std::int64_t bytes = 0;               ///< of that one, before packing
    std::chrono::microseconds pause{};    ///< for which making the newest one kept the lanes
    std::chrono::microseconds storing{};  ///< and how long it took to pack and store, beside them
    std::int64_t stored = 0;
    std::int64_t failed = 0;               ///< made, but not stored
    std::int64_t refused = 0;              ///< not taken at a start: damaged, or of another version
    engine::Position started_from{0};      ///< 0: from the beginning of the log
    std::chrono::microseconds starting{};  ///< time that reading it took
};

/// How the engines came to know what was reported before this process began.
enum class Beginning {
    log,       ///< by the whole log, from its begin
    snapshot,  ///< by a saved state, and the log after it
    carried,   ///< neither was of use: by the log as far as it is kept, and by the incidents that are stored (engine::Lane::carry_over)
};

/// Re-matches of all tenants, as their logs tell: those before this process began included.
struct RematchTotals {
    engine::RematchCounts counts;
    std::int64_t backlog = 0;  ///< signals that wait
};

/// The worker as diagnostics show it.
struct LeaderStatus {
    enum class State { starting, following, replaying, leading, retrying, stopped };
    State state = State::stopped;
    int percent = 0;              ///< of the log, while replaying
    std::string reason;           ///< why stopped or retrying, or who leads; safe to show
    engine::Position reached{0};  ///< entries up to here are applied, or were in the log already when this process began to read it
    std::int64_t applied = 0;     ///< entries since start, replayed ones included
    std::int64_t replayed = 0;    ///< entries up to lane.done that were applied again
    std::int64_t read_back = 0;   ///< groups read from the store instead of handed over
    std::int64_t result_commits = 0;
    std::chrono::microseconds read_time{};     ///< reading entries back from the store, the engine's work on them included
    std::chrono::microseconds apply_time{};    ///< in the engine, on what was handed over; writes that became due meanwhile included
    std::chrono::microseconds write_time{};    ///< in result transactions
    std::chrono::microseconds rematch_time{};  ///< reading and matching stored signals again; also part of the two above
    RematchTotals rematches;
    SnapshotStatus snapshots;
    Beginning beginning = Beginning::log;
    /// "leading", "following NAME", "replaying 40 %", "retrying: …", "stopped: …", "starting".
    std::string text() const;
};

class LaneDatabase;
class LaneSet;

/// Leads every lane, or follows the process that does until that one ends or falls silent. A leader takes the epochs, replays the retained log, then applies
/// each entry in position order and commits what it changes together with lane.done; when another process takes an epoch it begins anew as a follower.
/// One thread owns all engine state.
class LaneWorker {
public:
    using Clock = std::function<engine::Timestamp()>;

    /// `clock`: only decides which tenants get a tick. The references outlive the worker.
    /// `progress` is told of every committed position.
    LaneWorker(LaneWorkerOptions options, engine::Catalogue shipped, Clock clock, Watermarks& watermarks, SourceRegistry& sources, HandOff& hand_off,
               pg::LaneProgress& progress);
    /// On another database than PostgreSQL, `options.dsn` unused, and at another pace.
    LaneWorker(LaneWorkerOptions options, std::unique_ptr<LaneDatabase> database, engine::Catalogue shipped, Clock clock, Watermarks& watermarks,
               SourceRegistry& sources, HandOff& hand_off, pg::LaneProgress& progress, const Pace& pace);
    ~LaneWorker();
    LaneWorker(const LaneWorker&) = delete;
    LaneWorker& operator=(const LaneWorker&) = delete;

    void start();
    /// What `start` does on a thread of its own: returns after `stop`. Instead of `start`.
    void run();
    /// Commits what has been applied, then joins. Idempotent.
    void stop();

    /// A control entry was committed: look at the log now instead of at the next poll. Any thread.
    void nudge();
    LeaderStatus status() const;
    /// Asks something of the state of the tenants' engines, as far as the log has been read. Any thread but the worker's own; blocks. `question` runs on the
    /// worker's thread between two steps of its work, which waits: it must be quick and not throw. False: not answered, since this process is not ready, is
    /// asked too much, or is too busy for `patience`.
    bool ask(const std::function<void(const LaneSet&)>& question, std::chrono::milliseconds patience = std::chrono::seconds{2});
    /// Results are being committed, by this process or by the leader it follows. Any thread.
    bool ready() const;

private:
    class Loop;
    std::unique_ptr<Loop> loop_;
};

}  // namespace catenary::server
