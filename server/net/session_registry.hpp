#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace catenary::server::net {

class Session;

/// The sessions that run, so that a stop can reach them. Owns none. Any thread.
class SessionRegistry {
public:
    void add(const std::shared_ptr<Session>& session);
    void remove(const Session* session);
    /// Session::stop_when_idle() / Session::abandon() on each.
    void stop_idle();
    void abandon_all();
    /// False: some still run at `deadline`.
    [[nodiscard]] bool wait_until_empty(std::chrono::steady_clock::time_point deadline);

private:
    template <class F>
    void for_each(F visit);
    std::mutex mutex_;
    std::condition_variable emptied_;
    std::unordered_map<const Session*, std::weak_ptr<Session>> sessions_;
};

}  // namespace catenary::server::net
