#pragma once

#include "server/lanes/lane_worker.hpp"

#include <mutex>
#include <string>

namespace catenary::server {

/// The worker's status, written by its thread and read by any.
class ProgressBoard {
public:
    template <class Change>
    void update(Change&& change) {
        const std::lock_guard lock{mutex_};
        change(status_);
    }
    void enter(LeaderStatus::State state, std::string reason = {}) {
        update([&](LeaderStatus& status) {
            status.state = state;
            status.reason = std::move(reason);
        });
    }
    LeaderStatus read() const {
        const std::lock_guard lock{mutex_};
        return status_;
    }

private:
    mutable std::mutex mutex_;
    LeaderStatus status_;
};

}  // namespace catenary::server
