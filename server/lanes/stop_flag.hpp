#pragma once

#include "server/pace.hpp"

#include <condition_variable>
#include <mutex>

namespace catenary::server {

/// "Stop", asked once by any thread, and a wait that it ends.
class StopFlag {
public:
    explicit StopFlag(const Pace& pace) : pace_{pace} {}
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
    void wait_until(Pace::Time deadline) {
        std::unique_lock lock{mutex_};
        pace_.wait_until(lock, changed_, deadline, [this] { return asked_; });
    }

private:
    const Pace& pace_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool asked_ = false;
};

}  // namespace catenary::server
