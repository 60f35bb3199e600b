#pragma once

#include "server/ingest/watermarks.hpp"
#include "server/lanes/clock_ticks.hpp"
#include "server/lanes/lane_set.hpp"
#include "server/lanes/lane_worker.hpp"
#include "server/lanes/result_store.hpp"
#include "server/lanes/signal_finder.hpp"
#include "server/pg/lane_progress.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace catenary::server {

/// Collects what the engines change and writes it: which lanes have been applied how far, which of that is committed, and the one transaction that is
/// being written, kept until it is, however often the database fails meanwhile. One thread.
class ResultWriter {
public:
    ResultWriter(std::unique_ptr<ResultStore> store, LaneSet& lanes, ClockTicks& ticks, Watermarks& watermarks, pg::LaneProgress& progress)
        : store_{std::move(store)}, lanes_{lanes}, ticks_{ticks}, watermarks_{watermarks}, progress_{progress} {}

    ResultStore& store() { return *store_; }
    void lead(LaneLeases leases);
    /// Another process leads, and has come so far. Nothing may be written until `lead`.
    void follow(const std::map<std::int16_t, engine::Position>& done);
    /// Results of the lane up to here are stored already, by this process or an earlier one.
    engine::Position done(std::int16_t lane) const;

    /// Of every lane that is led or followed.
    std::map<std::int16_t, engine::Position> all_done() const;

    /// Entries of the lane up to `position` have been applied; `count` of them. Or its engine has changes to write without any.
    void applied(std::int16_t lane, engine::Position position, std::int64_t count);
    /// The lane's engine came from elsewhere than the log: makes known how its tenants stand.
    void restored(const engine::Lane& lane);
    /// Drops what the lane's engine changed: it comes from entries whose results are stored already.
    void discard(std::int16_t lane);

    std::int64_t pending() const { return pending_; }  ///< entries applied and not written
    bool unwritten() const { return pending_ > 0 || !moves_.empty(); }
    /// A transaction failed, and is tried again.
    bool unfinished() const { return !moves_.empty(); }
    const RematchTotals& rematches() const { return rematches_; }

    /// Writes everything applied so far. `failed`: call again later, nothing is lost. Throws PqError of `finder`'s connection, with the same meaning.
    WriteFate write(SignalFinder& finder);

private:
    void take_changes();
    void make_rows(SignalFinder& finder);
    void published(const engine::Effects& effects);
    void published(const engine::TenantStatus& status);

    std::unique_ptr<ResultStore> store_;
    LaneSet& lanes_;
    ClockTicks& ticks_;
    Watermarks& watermarks_;
    pg::LaneProgress& progress_;
    LaneLeases leases_;
    std::map<std::int16_t, engine::Position> applied_;  ///< beyond leases_[lane].done
    std::int64_t pending_ = 0;
    std::map<engine::TenantId, RematchTotals> rematches_of_;  ///< of tenants that had any
    RematchTotals rematches_;
    // The transaction being written: what the engines said, then its rows.
    std::vector<LaneMove> moves_;
    std::vector<std::pair<engine::Position, engine::TenantEffects>> effects_;
    std::vector<ResultRows> rows_;
    bool in_doubt_ = false;
};

}  // namespace catenary::server
