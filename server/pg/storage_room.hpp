#pragma once

#include "server/rounds.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

namespace catenary::server::pg {

struct StorageRoomOptions {
    std::filesystem::path cluster;         ///< of the private PostgreSQL; its WAL lies in `pg_wal` below, whatever is mounted or linked there
    std::uint64_t least = 64U << 20U;      ///< bytes left on either file system below which nothing more is taken in
    std::uint64_t enough = 96U << 20U;     ///< bytes left on both from which on it is taken in again
    std::chrono::milliseconds round{200};  ///< between looks; what is written meanwhile has to fit into `least`
};

/// Watches what is left on the disks of a private PostgreSQL, which stops altogether when it cannot extend its WAL. Before that happens ingest is refused; in
/// the room that is kept free reads and results go on. A thread of its own; the other methods from any.
class StorageRoom {
public:
    struct Usage {
        std::uint64_t data_free = 0;  ///< bytes left where the tables lie
        std::uint64_t wal_free = 0;   ///< and where the WAL lies; the same when that is one file system
        bool is_short = false;
        std::uint64_t shortages = 0;  ///< how often it became short
    };

    explicit StorageRoom(StorageRoomOptions options);
    StorageRoom(const StorageRoom&) = delete;
    StorageRoom& operator=(const StorageRoom&) = delete;

    void start() {
        rounds_.start(options_.round, [this] { run_once(); });
    }
    /// Idempotent.
    void stop() { rounds_.stop(); }
    /// One look.
    void run_once();

    /// What there is too little of, for people; empty when there is enough. "12 MiB are left on the disk of the WAL, 64 MiB are kept free".
    std::optional<std::string> shortage() const;
    Usage usage() const;

private:
    const StorageRoomOptions options_;
    mutable std::mutex mutex_;  // guards what follows
    Usage usage_;
    std::string shortage_;
    Rounds rounds_;  // the last: its thread ends first
};

/// What the file system that holds `folder` has in all and for others than root; empty where it does not say.
struct FileSystemSize {
    std::uint64_t capacity = 0;
    std::uint64_t free = 0;
};
std::optional<FileSystemSize> file_system_size(const std::filesystem::path& folder);

}  // namespace catenary::server::pg
