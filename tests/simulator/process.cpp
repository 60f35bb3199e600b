#include "tests/simulator/process.hpp"

#include "tests/simulator/ports.hpp"

namespace catenary::simulator {

Process::Process(Scheduler::Process number, const Setup& setup, const engine::Catalogue& shipped, Database& database, Scheduler& scheduler, Clock clock)
    : pace_{scheduler},
      hand_off_{setup.hand_off_bytes, pace_},
      lanes_{std::make_unique<server::LaneWorker>(setup.lanes, std::make_unique<SimulatedLaneDatabase>(database, scheduler, number, setup.lanes, clock),
                                                  shipped, clock, watermarks_, sources_, hand_off_, progress_, pace_)},
      committer_{std::make_unique<server::Committer>(setup.committer, std::make_unique<SimulatedIngestStore>(database, number), clock, watermarks_, sources_,
                                                     hand_off_, pace_)} {
    scheduler.spawn(number, [this] { lanes_->run(); });
    scheduler.spawn(number, [this] { committer_->run(); });
}

void Process::stop() {
    stopping_ = true;
    committer_->stop();
    lanes_->stop();
}

}  // namespace catenary::simulator
