#pragma once

#include "server/pg/os_user.hpp"
#include "server/pg/private_cluster.hpp"
#include "server/pg/server_binaries.hpp"
#include "server/pg/start_failure.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace catenary::server::pg {

/// A cluster that can be started: its files are there, owned by the user it runs as, and so is the folder of its socket.
struct ClusterFiles {
    OsUser user;
    ServerBinaries binaries;
    std::filesystem::path cluster;  ///< DATA/postgres
    std::filesystem::path socket;   ///< DATA/socket, or a folder under /tmp where that path is too long for a socket
    std::filesystem::path log;      ///< DATA/postgres.log, of PostgreSQL itself
};

/// Finds the server and the user, makes what is missing (initdb: UTF-8, C locale, data checksums) and checks what is there.
Started<ClusterFiles> prepare_cluster(const ClusterOptions& options);

/// Arguments of the postmaster: where everything is, and the settings that hold whatever configuration files say.
std::vector<std::string> postmaster_arguments(const ClusterFiles& files, Durability durability);

/// Opens the log to append, moving it aside to postgres.log.1 when it has grown beyond 16 MiB; -1 when it cannot be opened.
int open_log(const ClusterFiles& files);

}  // namespace catenary::server::pg
