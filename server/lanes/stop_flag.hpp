#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace catenary::server {

/// "Stop", asked once by any thread, and a wait that it ends.
class StopFlag {
public:
    void ask() {
        {
            const std::lock_guard lock{mutex_};
            asked_ = true;
        }
        changed_.notify_all();
    }
    bool asked() const {
        const std::lock_guard lock{mutex_};
        return asked_;
    }
    void wait_until(std::chrono::steady_clock::time_point deadline) {
        std::unique_lock lock{mutex_};
        changed_.wait_until(lock, deadline, [this] { return asked_; });
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool asked_ = false;
};

}  // namespace catenary::server
