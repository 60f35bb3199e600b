#include "server/net/session_registry.hpp"

#include "server/net/session.hpp"

namespace catenary::server::net {

void SessionRegistry::add(const std::shared_ptr<Session>& session) {
    const std::lock_guard lock{mutex_};
    sessions_.emplace(session.get(), session);
}

void SessionRegistry::remove(const Session* session) {
    const std::lock_guard lock{mutex_};
    sessions_.erase(session);
    if (sessions_.empty()) emptied_.notify_all();
}

template <class F>
void SessionRegistry::for_each(F visit) {
    const std::lock_guard lock{mutex_};
    for (const auto& [key, weak] : sessions_) {
        if (const auto session = weak.lock()) visit(*session);  // both calls only post to the session's strand
    }
}

void SessionRegistry::stop_idle() {
    for_each([](Session& session) { session.stop_when_idle(); });
}

void SessionRegistry::abandon_all() {
    for_each([](Session& session) { session.abandon(); });
}

bool SessionRegistry::wait_until_empty(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    return emptied_.wait_until(lock, deadline, [&] { return sessions_.empty(); });
}

}  // namespace catenary::server::net
