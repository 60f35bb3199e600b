#include "server/pg/lane_progress.hpp"

namespace catenary::server::pg {

void LaneProgress::reached(std::int16_t lane, engine::Position done) {
    {
        const std::lock_guard lock{mutex_};
        auto& known = done_[lane];
        if (done <= known) return;
        known = done;
    }
    moved_.notify_all();
}

bool LaneProgress::wait(std::int16_t lane, engine::Position position, std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    return moved_.wait_until(lock, deadline, [&] {
        const auto known = done_.find(lane);
        return known != done_.end() && known->second >= position;
    });
}

}  // namespace catenary::server::pg
