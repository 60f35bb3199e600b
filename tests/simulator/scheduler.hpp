#pragma once

#include "server/pace.hpp"
#include "tests/simulator/dice.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace catenary::simulator {

/// Unwinds a thread of a process that was killed. No std::exception, so that nothing that handles errors handles this.
struct Killed {};

/// The threads of several simulated processes, as fibers of one real thread: one runs until it waits, then chance picks the next one that need not wait. Time
/// is a number that is moved on when nobody can run.
class Scheduler {
public:
    using Time = server::Pace::Time;
    using Process = int;

    explicit Scheduler(Dice& dice);
    ~Scheduler();  ///< nobody may be left: kill all first
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // From within threads and from outside of them.
    Time now() const { return now_; }
    void spawn(Process process, std::function<void()> body);
    std::size_t threads(Process process) const;

    /// Of the running thread: until `ready` or `deadline`; what `ready` says then. Throws Killed. Outside of threads nobody can wait: asks and returns.
    bool wait(Time deadline, const std::function<bool()>& ready);
    void sleep(std::chrono::microseconds time) {
        wait(now_ + time, [] { return false; });
    }

    // From outside.
    /// Runs one thread until it waits; false when there is none.
    bool step();
    /// Unwinds the threads of a process from where they wait.
    void kill(Process process);
    /// The threads of a process do not run before `until`.
    void pause(Process process, Time until) { paused_[process] = until; }
    bool is_paused(Process process) const;
    /// Time passes.
    void pass(std::chrono::microseconds time) { now_ += time; }

private:
    struct Fiber;
    static void enter(unsigned high, unsigned low);
    void resume(Fiber& fiber);
    void drop_finished();
    Time earliest(const Fiber& fiber) const;
    bool can_run(const Fiber& fiber) const;

    Dice& dice_;
    Time now_{std::chrono::hours{1}};
    std::vector<std::unique_ptr<Fiber>> fibers_;
    std::vector<std::unique_ptr<char[]>> stacks_;  // to be used again
    Fiber* running_ = nullptr;
    std::map<Process, Time> paused_;
};

/// Time of a scheduler, for what runs in its threads.
class SimulatedPace final : public server::Pace {
public:
    explicit SimulatedPace(Scheduler& scheduler) : scheduler_{scheduler} {}
    Time now() const override { return scheduler_.now(); }
    bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, Time deadline, const std::function<bool()>& ready) const override;

private:
    Scheduler& scheduler_;
};

}  // namespace catenary::simulator
