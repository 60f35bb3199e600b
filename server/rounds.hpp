#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace catenary::server {

/// A thread that does the same thing again and again, with a pause before each time. Any thread may ask; one starts and stops.
class Rounds {
public:
    Rounds() = default;
    ~Rounds() { stop(); }  // its owner destroys what `work` uses afterwards
    Rounds(const Rounds&) = delete;
    Rounds& operator=(const Rounds&) = delete;

    /// `work` must not throw.
    void start(std::chrono::milliseconds pause, std::function<void()> work);
    /// Ends after the work that is being done. Idempotent. Meanwhile `hurry` is called now and then, to cut that work short.
    void stop(const std::function<void()>& hurry = {});
    bool stopping() const;

private:
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    bool working_ = false;
    std::thread thread_;
};

}  // namespace catenary::server
