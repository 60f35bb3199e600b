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
    ~Rounds() { stop(); }
    Rounds(const Rounds&) = delete;
    Rounds& operator=(const Rounds&) = delete;

    /// `work` must not throw.
    void start(std::chrono::milliseconds pause, std::function<void()> work);
    /// Ends after the work that is being done. Idempotent.
    void stop();
    bool stopping() const;

private:
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace catenary::server
