#include "server/rounds.hpp"

#include <utility>

namespace catenary::server {

void Rounds::start(std::chrono::milliseconds pause, std::function<void()> work) {
    thread_ = std::thread{[this, pause, work = std::move(work)] {
        std::unique_lock lock{mutex_};
        while (!wake_.wait_for(lock, pause, [this] { return stopping_; })) {
            working_ = true;
            lock.unlock();
            work();
            lock.lock();
            working_ = false;
            wake_.notify_all();
        }
    }};
}

void Rounds::stop(const std::function<void()>& hurry) {
    {
        std::unique_lock lock{mutex_};
        stopping_ = true;
        wake_.notify_all();
        // Again and again: what is cut short may not have begun yet.
        while (hurry && !wake_.wait_for(lock, std::chrono::milliseconds{50}, [this] { return !working_; })) {
            lock.unlock();
            hurry();
            lock.lock();
        }
    }
    if (thread_.joinable()) thread_.join();
}

bool Rounds::stopping() const {
    const std::lock_guard lock{mutex_};
    return stopping_;
}

}  // namespace catenary::server
