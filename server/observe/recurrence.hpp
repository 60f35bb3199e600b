#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace catenary::server::observe {

/// Thins out what may be said many times a second: once when it begins or becomes something else, then once a round with how often it was. One thread.
class Recurrence {
public:
    using Clock = std::chrono::steady_clock;
    explicit Recurrence(std::chrono::seconds round = std::chrono::seconds{60}) : round_{round} {}

    /// It happened once more. How often since the last line, this time included, when a line is due; 0 when not. `kind` tells whether it is still the same.
    std::uint64_t note(std::string_view kind, Clock::time_point now) {
        ++unsaid_;
        if (kind == kind_ && now < next_) return 0;
        kind_ = kind;
        next_ = now + round_;
        return std::exchange(unsaid_, 0);
    }
    /// It is over: the next time is said at once. How often it was since the last line.
    std::uint64_t over() {
        kind_.clear();
        next_ = {};
        return std::exchange(unsaid_, 0);
    }

private:
    std::chrono::seconds round_;
    std::string kind_;
    Clock::time_point next_{};
    std::uint64_t unsaid_ = 0;
};

}  // namespace catenary::server::observe
