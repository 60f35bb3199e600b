#pragma once

#include "engine/model/ids.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>

namespace catenary::server::pg {

/// How far each lane's results are committed, as this process's lane workers say. A hint that wakes waiters; the truth is `lane.done`, since
/// another process may be the leader.
class LaneProgress {
public:
    /// A lane worker committed results up to `done`. Never goes back.
    void reached(std::int16_t lane, engine::Position done);
    /// Returns true once the lane is said to have reached `position`, false at `deadline`.
    bool wait(std::int16_t lane, engine::Position position, std::chrono::steady_clock::time_point deadline);

private:
    std::mutex mutex_;
    std::condition_variable moved_;
    std::map<std::int16_t, engine::Position> done_;  // one entry a lane: at most 256
};

}  // namespace catenary::server::pg
