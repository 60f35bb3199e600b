#pragma once

#include "server/lanes/progress_board.hpp"
#include "server/lanes/snapshot_set.hpp"

#include <atomic>
#include <string>
#include <thread>

namespace catenary::server {

/// Stores snapshots on a thread and a connection of its own, so that lanes go on meanwhile: one at a time. What became of each is on the board; one that
/// could not be stored is dropped.
class SnapshotKeeper {
public:
    /// `board` outlives this. `chunk_bytes` and `keep`: as SnapshotStore means them.
    SnapshotKeeper(std::string dsn, std::size_t chunk_bytes, int keep, ProgressBoard& board)
        : dsn_{std::move(dsn)}, chunk_bytes_{chunk_bytes}, keep_{keep}, board_{board} {}
    /// Gives up what is being stored, at the next chunk.
    ~SnapshotKeeper();
    SnapshotKeeper(const SnapshotKeeper&) = delete;
    SnapshotKeeper& operator=(const SnapshotKeeper&) = delete;

    bool busy() const { return busy_; }
    /// Only when not busy.
    void keep(SnapshotSet set);

private:
    void store(const SnapshotSet& set);

    std::string dsn_;
    std::size_t chunk_bytes_;
    int keep_;
    ProgressBoard& board_;
    std::atomic<bool> busy_ = false;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

}  // namespace catenary::server
