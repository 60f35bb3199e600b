#pragma once

#include "server/ingest/committer.hpp"
#include "server/lanes/lane_worker.hpp"
#include "tests/simulator/database.hpp"
#include "tests/simulator/scheduler.hpp"

#include <functional>
#include <memory>

namespace catenary::simulator {

/// How a process is set up.
struct Setup {
    server::CommitterOptions committer;
    server::LaneWorkerOptions lanes;
    std::size_t hand_off_bytes = 0;
};

/// One server process: the real committer and the real lane worker, each on a simulated thread.
class Process {
public:
    using Clock = std::function<engine::Timestamp()>;

    Process(Scheduler::Process number, const Setup& setup, const engine::Catalogue& shipped, Database& database, Scheduler& scheduler, Clock clock);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    server::Committer& committer() { return *committer_; }
    server::LaneWorker& lanes() { return *lanes_; }
    /// Asked to end in order: its threads end by and by.
    void stop();
    bool stopping() const { return stopping_; }

private:
    SimulatedPace pace_;
    server::Watermarks watermarks_;
    server::SourceRegistry sources_;
    server::HandOff hand_off_;
    server::pg::LaneProgress progress_;
    std::unique_ptr<server::LaneWorker> lanes_;
    std::unique_ptr<server::Committer> committer_;
    bool stopping_ = false;
};

}  // namespace catenary::simulator
