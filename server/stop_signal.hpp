#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace catenary::server {

/// SIGINT and SIGTERM as a value to wait for. The first asks for a graceful stop; the second ends the process at once.
/// Made before any other thread, since threads inherit that the signals do not interrupt them.
class StopSignal {
public:
    StopSignal();
    ~StopSignal();  // ends the thread that receives them
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    /// Until the first signal, or request().
    void wait();
    bool requested() const;
    /// As if the first signal had come. Any thread.
    void request();

private:
    void receive();
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool requested_ = false;
    std::thread receiver_;
};

}  // namespace catenary::server
