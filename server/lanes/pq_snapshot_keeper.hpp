#pragma once

#include "server/lanes/progress_board.hpp"
#include "server/lanes/snapshot_keeper.hpp"

#include <atomic>
#include <string>
#include <thread>

namespace catenary::server {

/// In PostgreSQL, on a thread and a connection of its own.
class PqSnapshotKeeper final : public SnapshotKeeper {
public:
    /// `board` outlives this. `chunk_bytes` and `keep`: as PqSnapshotStore means them.
    PqSnapshotKeeper(std::string dsn, std::size_t chunk_bytes, int keep, ProgressBoard& board)
        : dsn_{std::move(dsn)}, chunk_bytes_{chunk_bytes}, keep_{keep}, board_{board} {}
    /// Gives up what is being stored, at the next chunk.
    ~PqSnapshotKeeper() override;
    PqSnapshotKeeper(const PqSnapshotKeeper&) = delete;
    PqSnapshotKeeper& operator=(const PqSnapshotKeeper&) = delete;

    bool busy() const override { return busy_; }
    void keep(SnapshotSet set) override;

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
