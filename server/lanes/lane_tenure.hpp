#pragma once

#include "server/lanes/clock_ticks.hpp"
#include "server/lanes/engine_questions.hpp"
#include "server/lanes/lane_database.hpp"
#include "server/lanes/lane_set.hpp"
#include "server/lanes/lane_worker.hpp"
#include "server/lanes/progress_board.hpp"
#include "server/lanes/result_writer.hpp"
#include "server/lanes/stop_flag.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>

namespace catenary::server {

/// What this tenure holds is of no use any more: another process took the lanes, or the database lost what was read from it.
class Fenced : public std::runtime_error {
    using std::runtime_error::runtime_error;
};
/// The database failed; the same step is worth another try.
class Unavailable : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What a tenure shares with its process.
struct TenureSurroundings {
    const LaneWorkerOptions& options;
    LaneDatabase& database;
    const engine::Catalogue& shipped;
    const LaneWorker::Clock& clock;
    const Pace& pace;
    Watermarks& watermarks;
    SourceRegistry& sources;
    HandOff& hand_off;
    pg::LaneProgress& progress;
    ProgressBoard& board;
    StopFlag& stop;
    EngineQuestions& questions;
};

/// One span of time in which a process follows the leader and then leads, with the engines that belong to it, empty at first:
///
/// following ──▶ replaying ──▶ leading
///
/// The engines begin with the newest snapshot that is of use; only what came after it is read. A leader makes a new one now and then. Without one, the whole
/// log is read; where it is not whole any more, or results were made by another version, a leader matches anew what is kept of it and carries over what was
/// reported. While following, the engines apply what the leader's results contain and change nothing. One thread.
class LaneTenure final : private LogSink, private Rematcher {
public:
    explicit LaneTenure(TenureSurroundings around);

    /// Follows and leads until asked to stop. Throws PqError and Unavailable when the database failed (call again: it goes on where it was), Fenced, and
    /// std::runtime_error when the log is damaged.
    void run();
    /// The connection broke: it is made anew by the next `run`.
    void disconnect() { session_.reset(); }
    /// Asked to stop: commits what has been applied.
    void finish();

private:
    void begin();
    bool restore(const Origin& origin);
    void check_origin();
    bool is_carried_later(std::int16_t lane) const { return beginning_ == Beginning::carried && !carried_.contains(lane); }
    void carry_over(std::int16_t lane);
    void follow();
    void catch_up();
    void take_over();
    void check_not_set_back(const std::map<std::int16_t, engine::Position>& done) const;
    void replay();
    void step();
    void look();
    void read_back(engine::Position to);
    void apply(const CommittedGroup& group);
    void apply(std::int16_t lane, const ControlEntry& entry);

    // LogSink: entries read from the store.
    void signals(std::int16_t lane, std::span<const StoredRow> rows, const StoredNames& names) override;
    void control(std::int16_t lane, const ControlEntry& entry) override;
    void reached(engine::Position position) override;
    bool stopping() override { return around_.stop.asked(); }

    // Rematcher
    void rematch(engine::Lane& engine) override;

    void repeated(std::int16_t lane, std::int64_t count);
    void begin_fresh(std::int16_t lane);
    void discard_all();
    void counted(std::int16_t lane, engine::Position position, std::int64_t count);
    void note_reached(engine::Position position);
    void write_if_much();
    void write();
    void tick();
    void save_if_due();
    SnapshotSet snapshot();
    void note_sources(std::span<const StoredRow> rows, const StoredNames& names);
    /// Runs `work` and adds what it took to a stage of the status.
    template <class Work>
    void timed(std::chrono::microseconds LeaderStatus::*stage, Work&& work);
    Pace::Time now() const { return around_.pace.now(); }
    engine::Position next() const { return engine::Position{through_.value() + 1}; }

    TenureSurroundings around_;
    LaneSet lanes_;
    ClockTicks ticks_;
    ResultWriter writer_;
    std::unique_ptr<SnapshotKeeper> keeper_;
    std::unique_ptr<LaneSession> session_;
    bool begun_ = false;  ///< it is known what the engines begin with
    Beginning beginning_ = Beginning::log;
    Origin origin_;                   ///< of the results that they begin with
    std::set<std::int16_t> carried_;  ///< lanes that were carried over
    bool leads_ = false;
    bool replayed_ = false;  ///< as leader: what was in the log at the take-over has been applied
    engine::Position through_{0};   ///< every entry up to here has been applied
    engine::Position read_end_{0};  ///< of what is being read before this process leads
    std::set<std::int16_t> discardable_;
    std::int64_t since_discard_ = 0;
    std::int64_t since_snapshot_ = 0;  ///< entries applied
    Pace::Time snapshot_at_{};          ///< one is due by then, however little came
    Pace::Time snapshot_not_before_{};  ///< however much comes
    Pace::Time next_begin_{};
    Pace::Time last_write_{};
    Pace::Time next_look_{};
    Pace::Time next_ticks_{};
};

}  // namespace catenary::server
