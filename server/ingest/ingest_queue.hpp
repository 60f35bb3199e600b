#pragma once

#include "server/ingest/group.hpp"
#include "server/pace.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

namespace catenary::server {

/// Requests that wait for the committer, bounded by items and bytes. Any thread.
class IngestQueue {
public:
    IngestQueue(std::size_t items, std::size_t bytes, const Pace& pace) : most_items_{items}, most_bytes_{bytes}, pace_{pace} {}

    /// Gives the request back when there is no room for it, or the queue is closed.
    [[nodiscard]] std::optional<WaitingRequest> put(WaitingRequest request);

    /// What waits, at most `items` signals (one request always fits): waits for the first until `deadline`, then up to `linger` for `enough` of them.
    std::vector<WaitingRequest> take(std::size_t items, std::size_t enough, std::chrono::milliseconds linger, std::chrono::steady_clock::time_point deadline);

    /// Takes no more requests; what waits can still be taken.
    void close();
    bool closed() const;

    struct Depth {
        std::size_t items, bytes;
    };
    Depth depth() const;

private:
    const std::size_t most_items_;
    const std::size_t most_bytes_;
    const Pace& pace_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<WaitingRequest> waiting_;
    std::size_t items_ = 0;
    std::size_t bytes_ = 0;
    bool closed_ = false;
};

}  // namespace catenary::server
