#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace catenary::server {

/// Monotonic time, and the waits that depend on it. Passed in, so that time can be made to pass otherwise than on the wall. Any thread.
class Pace {
public:
    using Time = std::chrono::steady_clock::time_point;
    virtual ~Pace() = default;
    virtual Time now() const = 0;
    /// Waits on `changed` until `ready()` or `deadline`, and returns what `ready()` says then. `lock` is held whenever `ready` is asked.
    virtual bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, Time deadline, const std::function<bool()>& ready) const = 0;
};

/// The machine's own clock.
class SteadyPace final : public Pace {
public:
    Time now() const override { return std::chrono::steady_clock::now(); }
    bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, Time deadline, const std::function<bool()>& ready) const override {
        return changed.wait_until(lock, deadline, ready);
    }
};
inline const SteadyPace steady_pace;

}  // namespace catenary::server
