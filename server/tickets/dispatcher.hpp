#pragma once

#include "server/tickets/connector_worker.hpp"

#include <pqxx/connection>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace catenary::server::tickets {

struct DispatcherOptions {
    std::string dsn;                            ///< acts as catenary_lane: which connectors there are, and what waits for them
    std::size_t most_workers = 64;              ///< threads; connectors beyond them wait, and are counted
    std::chrono::milliseconds look{200};        ///< between looks at what waits
    std::chrono::milliseconds patience{3'000};  ///< of a stop, before requests under way are cut
};

/// Serves the connectors of all tenants, each in a thread of its own, so that a slow or dead one holds up nobody else. Of several processes on one database
/// one serves a connector: it holds a lease that this thread renews while the worker waits for the ticket system.
class Dispatcher {
public:
    Dispatcher(DispatcherOptions options, WorkerSetting setting);
    ~Dispatcher();  // stops
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    void start();
    /// Lets deliveries under way end, for a short while, gives the leases back, joins. Idempotent.
    void stop();
    /// A connector or ticket was changed by a request: look now. Any thread.
    void nudge();

    struct Usage {
        std::size_t workers = 0;
        std::size_t unserved = 0;  ///< connectors beyond most_workers
        std::int64_t waiting = 0;  ///< rows of the outbox that no dispatcher has taken
        std::int64_t delivered = 0, failed = 0, retried = 0, doubtful = 0, polls = 0, remote_changes = 0;
        std::int64_t notes_taken = 0, notes_cut = 0, notes_left = 0;
        std::int64_t hooks_followed = 0, hooks_retried = 0, hooks_left = 0;
    };
    /// Any thread.
    Usage usage() const;

private:
    using Key = std::pair<std::int32_t, std::string>;
    class Served;

    void run();
    void look();
    void tend();
    bool wait(std::chrono::milliseconds most);

    const DispatcherOptions options_;
    const WorkerSetting setting_;
    WorkerCounts counts_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    bool nudged_ = false;
    std::size_t workers_ = 0, unserved_ = 0;
    std::int64_t waiting_ = 0;
    // Of the dispatcher's own thread.
    std::map<Key, std::unique_ptr<Served>> served_;
    std::unique_ptr<pqxx::connection> connection_;
    std::chrono::steady_clock::time_point renewed_{}, swept_{};
    std::thread thread_;
};

}  // namespace catenary::server::tickets
