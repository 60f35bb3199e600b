#pragma once

#include "server/lanes/lane_set.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace catenary::server {

/// Questions about the state of the engines, which one thread owns: asked by any other, answered by that one between two steps of its work. Few may wait, so
/// that the lanes stand still for a bounded time.
class EngineQuestions {
public:
    static constexpr std::size_t most_waiting = 4;
    /// Called by the owner of the engines; quick, and must not throw.
    using Question = std::function<void(const LaneSet&)>;

    /// `wake`: has the owner look soon; called by whoever asks.
    explicit EngineQuestions(std::function<void()> wake) : wake_{std::move(wake)} {}

    /// Blocks until the question is answered. False: too many wait, or it was not answered within `patience`; it never will be then.
    bool ask(const Question& question, std::chrono::milliseconds patience);
    /// Answers what waits. The owner of the engines, while they are in order.
    void answer(const LaneSet& lanes);

private:
    struct Waiting;
    const std::function<void()> wake_;
    std::atomic<std::size_t> count_{0};  // so that nobody who asks costs nothing
    std::mutex mutex_;
    std::deque<std::shared_ptr<Waiting>> waiting_;
};

}  // namespace catenary::server
