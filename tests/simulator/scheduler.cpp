#include "tests/simulator/scheduler.hpp"

#include "engine/model/assert.hpp"

#include <cxxabi.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace catenary::simulator {
namespace {

constexpr std::size_t stack_bytes = 512U << 10U;

/// What the C++ runtime keeps for a thread while exceptions are being handled; a fiber that waits inside a handler takes it along.
struct Handling {
    void* caught = nullptr;
    unsigned uncaught = 0;
};

void exchange(Handling& other) {
    auto& current = *reinterpret_cast<Handling*>(abi::__cxa_get_globals());
    std::swap(current, other);
}

}  // namespace

struct Scheduler::Fiber {
    Process process = 0;
    std::function<void()> body;
    std::unique_ptr<char[]> stack;
    ucontext_t context{};
    ucontext_t outside{};
    Handling handling;
    Time deadline{};
    const std::function<bool()>* ready = nullptr;  // what it waits for
    bool killed = false;
    bool finished = false;
    Scheduler* scheduler = nullptr;
#if defined(__SANITIZE_ADDRESS__)
    void* fake_stack = nullptr;
    const void* outside_stack = nullptr;
    std::size_t outside_size = 0;
#endif
    void leave(bool for_ever) {
        exchange(handling);
#if defined(__SANITIZE_ADDRESS__)
        __sanitizer_start_switch_fiber(for_ever ? nullptr : &fake_stack, outside_stack, outside_size);
#endif
        (void)for_ever;
        swapcontext(&context, &outside);
        arrived();
    }
    void arrived() {
#if defined(__SANITIZE_ADDRESS__)
        __sanitizer_finish_switch_fiber(fake_stack, &outside_stack, &outside_size);
#endif
        exchange(handling);
    }
};

Scheduler::Scheduler(Dice& dice) : dice_{dice} {}
Scheduler::~Scheduler() { CATENARY_ASSERT(fibers_.empty(), "a simulated thread would never end"); }

void Scheduler::enter(unsigned high, unsigned low) {
    auto& fiber = *reinterpret_cast<Fiber*>((std::uintptr_t{high} << 32U) | low);
    fiber.arrived();
    try {
        if (!fiber.killed) fiber.body();
    } catch (const Killed&) {
        // Where it stood is where its process ended.
    }
    fiber.body = nullptr;
    fiber.finished = true;
    fiber.leave(true);
}

void Scheduler::spawn(Process process, std::function<void()> body) {
    auto fiber = std::make_unique<Fiber>();
    fiber->process = process;
    fiber->body = std::move(body);
    fiber->deadline = now_;
    fiber->scheduler = this;
    if (stacks_.empty()) {
        fiber->stack.reset(new char[stack_bytes]);
    } else {
        fiber->stack = std::move(stacks_.back());
        stacks_.pop_back();
    }
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack.get();
    fiber->context.uc_stack.ss_size = stack_bytes;
    fiber->context.uc_link = nullptr;
    const auto address = reinterpret_cast<std::uintptr_t>(fiber.get());
    makecontext(&fiber->context, reinterpret_cast<void (*)()>(&Scheduler::enter), 2, static_cast<unsigned>(address >> 32U), static_cast<unsigned>(address));
    fibers_.push_back(std::move(fiber));
}

std::size_t Scheduler::threads(Process process) const {
    return static_cast<std::size_t>(std::count_if(fibers_.begin(), fibers_.end(), [&](const auto& fiber) { return fiber->process == process; }));
}

void Scheduler::resume(Fiber& fiber) {
    CATENARY_ASSERT(running_ == nullptr, "simulated threads are run from outside");
    running_ = &fiber;
#if defined(__SANITIZE_ADDRESS__)
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, fiber.stack.get(), stack_bytes);
#endif
    swapcontext(&fiber.outside, &fiber.context);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
    running_ = nullptr;
}

bool Scheduler::wait(Time deadline, const std::function<bool()>& ready) {
    if (running_ == nullptr || std::uncaught_exceptions() > 0) return ready();
    auto& fiber = *running_;
    if (fiber.killed) throw Killed{};
    fiber.deadline = deadline;
    fiber.ready = &ready;
    fiber.leave(false);
    fiber.ready = nullptr;
    if (fiber.killed) throw Killed{};
    return ready();
}

bool Scheduler::is_paused(Process process) const {
    const auto it = paused_.find(process);
    return it != paused_.end() && it->second > now_;
}

Scheduler::Time Scheduler::earliest(const Fiber& fiber) const {
    const auto it = paused_.find(fiber.process);
    return it == paused_.end() ? fiber.deadline : std::max(fiber.deadline, it->second);
}

bool Scheduler::can_run(const Fiber& fiber) const {
    if (is_paused(fiber.process)) return false;
    return fiber.deadline <= now_ || (fiber.ready != nullptr && (*fiber.ready)());
}

bool Scheduler::step() {
    if (fibers_.empty()) return false;
    const auto pick = [&]() -> Fiber* {
        std::vector<Fiber*> able;
        for (const auto& fiber : fibers_) {
            if (can_run(*fiber)) able.push_back(fiber.get());
        }
        return able.empty() ? nullptr : able[dice_.index(able.size())];
    };
    auto* next = pick();
    if (next == nullptr) {
        auto time = Time::max();
        for (const auto& fiber : fibers_) time = std::min(time, earliest(*fiber));
        now_ = std::max(now_, time);
        next = pick();
    }
    if (next == nullptr) return true;
    resume(*next);
    drop_finished();
    return true;
}

void Scheduler::drop_finished() {
    for (auto& fiber : fibers_) {
        if (fiber->finished) stacks_.push_back(std::move(fiber->stack));
    }
    std::erase_if(fibers_, [](const auto& fiber) { return fiber->finished; });
}

void Scheduler::kill(Process process) {
    paused_.erase(process);
    for (std::size_t i = 0; i < fibers_.size(); ++i) {
        auto& fiber = *fibers_[i];
        if (fiber.process != process) continue;
        fiber.killed = true;
        while (!fiber.finished) resume(fiber);
    }
    drop_finished();
}

bool SimulatedPace::wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable&, Time deadline, const std::function<bool()>& ready) const {
    if (ready()) return true;
    lock.unlock();  // whoever makes it ready takes the lock; nobody runs at the same time
    try {
        scheduler_.wait(deadline, ready);
    } catch (const Killed&) {
        lock.lock();
        throw;
    }
    lock.lock();
    return ready();
}

}  // namespace catenary::simulator
