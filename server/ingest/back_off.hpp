#pragma once

#include <algorithm>
#include <chrono>

namespace catenary::server {

/// When to try again after failures: at once the first time, then doubling from `shortest` to `longest`.
class BackOff {
public:
    using Clock = std::chrono::steady_clock;
    BackOff(std::chrono::milliseconds shortest, std::chrono::milliseconds longest) : shortest_{shortest}, longest_{longest} {}

    Clock::time_point next() const { return next_; }
    bool due(Clock::time_point now) const { return now >= next_; }
    void failed(Clock::time_point now) {
        wait_ = wait_.count() == 0 ? shortest_ : std::min(wait_ * 2, longest_);
        next_ = now + wait_;
    }
    void succeeded() {
        wait_ = {};
        next_ = {};
    }

private:
    std::chrono::milliseconds shortest_;
    std::chrono::milliseconds longest_;
    std::chrono::milliseconds wait_{};
    Clock::time_point next_{};
};

}  // namespace catenary::server
