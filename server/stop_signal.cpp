#include "server/stop_signal.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

namespace catenary::server {
namespace {

/// The private message that ends the receiving thread.
constexpr int wake_signal = SIGUSR2;
constexpr int interrupted_code = 130;

sigset_t received_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGINT);
    ::sigaddset(&set, SIGTERM);
    ::sigaddset(&set, wake_signal);
    return set;
}

}  // namespace

StopSignal::StopSignal() {
    const auto set = received_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);  // a reader of our output that went away is no reason to die
    receiver_ = std::thread{[this] { receive(); }};
}

StopSignal::~StopSignal() {
    ::pthread_kill(receiver_.native_handle(), wake_signal);
    receiver_.join();
}

void StopSignal::receive() {
    const auto set = received_signals();
    bool asked = false;
    for (;;) {
        int number = 0;
        if (::sigwait(&set, &number) != 0) continue;
        if (number == wake_signal) return;
        if (asked) ::_exit(interrupted_code);  // stored data does not need an orderly end
        asked = true;
        request();
    }
}

void StopSignal::wait() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return requested_; });
}

bool StopSignal::requested() const {
    const std::lock_guard lock{mutex_};
    return requested_;
}

void StopSignal::request() {
    const std::lock_guard lock{mutex_};
    requested_ = true;
    changed_.notify_all();
}

}  // namespace catenary::server
