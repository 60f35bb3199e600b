#include "server/rounds.hpp"

#include <utility>

namespace catenary::server {

void Rounds::start(std::chrono::milliseconds pause, std::function<void()> work) {
    thread_ = std::thread{[this, pause, work = std::move(work)] {
        std::unique_lock lock{mutex_};
        while (!wake_.wait_for(lock, pause, [this] { return stopping_; })) {
            lock.unlock();
            work();
            lock.lock();
        }
    }};
}

void Rounds::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

bool Rounds::stopping() const {
    const std::lock_guard lock{mutex_};
    return stopping_;
}

}  // namespace catenary::server
