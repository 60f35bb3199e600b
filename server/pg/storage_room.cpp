#include "server/pg/storage_room.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <sys/statvfs.h>
#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

namespace catenary::server::pg {
namespace {

std::string told(std::string_view what, std::uint64_t free, std::uint64_t least) {
    return fmt::format("{} MiB are left on the disk of {}, {} MiB are kept free", free >> 20U, what, least >> 20U);
}

/// What cannot be measured is no reason to refuse: PostgreSQL says itself when it has no room.
std::uint64_t free_in(const std::filesystem::path& folder) {
    const auto size = file_system_size(folder);
    return size ? size->free : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

std::optional<FileSystemSize> file_system_size(const std::filesystem::path& folder) {
    struct statvfs found {};
    if (::statvfs(folder.c_str(), &found) != 0 || found.f_blocks == 0) return std::nullopt;
    return FileSystemSize{static_cast<std::uint64_t>(found.f_blocks) * found.f_frsize, static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize};
}

StorageRoom::StorageRoom(StorageRoomOptions options) : options_{std::move(options)} { run_once(); }

void StorageRoom::run_once() {
    const auto wal = options_.cluster / "pg_wal";
    const auto data_free = free_in(options_.cluster);
    const auto wal_free = free_in(wal);
    const std::lock_guard lock{mutex_};
    const bool was_short = usage_.is_short;
    usage_.data_free = data_free;
    usage_.wal_free = wal_free;
    usage_.is_short = std::min(data_free, wal_free) < (was_short ? options_.enough : options_.least);
    if (usage_.is_short) {
        shortage_ = wal_free < data_free ? told("the WAL", wal_free, options_.least) : told("the database", data_free, options_.least);
    }
    if (usage_.is_short == was_short) return;
    if (was_short) {
        spdlog::warn("event=storage_enough data_free={} wal_free={}", data_free, wal_free);
        return;
    }
    ++usage_.shortages;
    spdlog::error("event=storage_short reason=\"{}\" data=\"{}\" wal=\"{}\"", shortage_, options_.cluster.string(), wal.string());
}

std::optional<std::string> StorageRoom::shortage() const {
    const std::lock_guard lock{mutex_};
    if (!usage_.is_short) return std::nullopt;
    return shortage_;
}

StorageRoom::Usage StorageRoom::usage() const {
    const std::lock_guard lock{mutex_};
    return usage_;
}

}  // namespace catenary::server::pg
