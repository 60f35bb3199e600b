#pragma once

#include "server/pg/os_user.hpp"
#include "server/pg/start_failure.hpp"

#include <filesystem>
#include <optional>

namespace catenary::server::pg {

/// An installed PostgreSQL server.
struct ServerBinaries {
    std::filesystem::path folder;  ///< holds `postgres` and `initdb`
    int major = 0;
};
/// Oldest that has what the schema and our settings need (lz4-compressed WAL).
inline constexpr int oldest_major = 15;

/// The newest installed one, or exactly `major`: in /usr/lib/postgresql/*/bin and such places, on the PATH, and where pg_config points.
Started<ServerBinaries> find_server_binaries(const OsUser& user, std::optional<int> major);

}  // namespace catenary::server::pg
