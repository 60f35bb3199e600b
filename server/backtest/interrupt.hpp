#pragma once

#include "server/ingest/pq_connection.hpp"

#include <atomic>
#include <mutex>

namespace catenary::server {

/// Thrown where an Interrupt was noticed; ends the backtest.
struct Interrupted {};

/// Ends a backtest from another thread within a moment: it is looked at between chunks, and cancels the statement that is waited for. A statement may begin just
/// after it was asked, so whoever asks does so again until the work has ended.
class Interrupt {
public:
    void ask() {
        asked_ = true;
        const std::lock_guard lock{mutex_};
        if (waiting_ != nullptr) waiting_->ask();
    }
    bool asked() const { return asked_; }
    void throw_if_asked() const {
        if (asked_) throw Interrupted{};
    }

    /// While it lives, what the connection does can be cancelled.
    class Scope {
    public:
        Scope(Interrupt& interrupt, const PqConnection& connection) : interrupt_{interrupt}, cancel_{connection} { show(&cancel_); }
        ~Scope() { show(nullptr); }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

    private:
        void show(const PqCancel* cancel) {
            const std::lock_guard lock{interrupt_.mutex_};
            interrupt_.waiting_ = cancel;
        }
        Interrupt& interrupt_;
        PqCancel cancel_;
    };

private:
    std::atomic<bool> asked_ = false;
    std::mutex mutex_;
    const PqCancel* waiting_ = nullptr;
};

}  // namespace catenary::server
