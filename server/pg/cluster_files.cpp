#include "server/pg/cluster_files.hpp"

#include "server/pg/child_process.hpp"
#include "server/pg/storage_room.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string_view>

namespace catenary::server::pg {
namespace {

// A socket's address holds 107 bytes; "/.s.PGSQL.5432" takes 14 of them, and lock files beside it 5 more.
constexpr std::size_t longest_socket_folder = 80;

/// FNV-1a: names a folder, nothing secret.
std::uint64_t name_hash(std::string_view text) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    return hash;
}

std::filesystem::path socket_folder(const std::filesystem::path& data_dir) {
    auto inside = data_dir / "socket";
    if (inside.string().size() <= longest_socket_folder) return inside;
    return fmt::format("/tmp/catenary-{:016x}", name_hash(data_dir.string()));
}

Started<bool> initialise(const OsUser& user, const ServerBinaries& binaries, const ClusterOptions& options, const std::filesystem::path& cluster) {
    if (options.progress) options.progress(fmt::format("making a private PostgreSQL {} in {}", binaries.major, cluster.string()));
    // Made aside and renamed when complete, so that a start that was cut off leaves nothing that looks like a cluster.
    const auto aside = std::filesystem::path{cluster.string() + ".new"};
    std::error_code error;
    std::filesystem::remove_all(aside, error);
    if (const auto made = make_private_folder(user, aside); !made) return made.error();
    std::vector<std::string> arguments{"-D",
                                       aside.string(),
                                       "--encoding=UTF8",
                                       "--locale=C",
                                       "--data-checksums",
                                       "--auth-local=trust",
                                       "--auth-host=reject",
                                       fmt::format("--username={}", PrivateCluster::superuser),
                                       "--no-instructions"};
    if (options.durability == Durability::relaxed) arguments.push_back("--no-sync");
    if (const auto done = run(binaries.folder / "initdb", arguments, user); !done) return done.error();
    std::filesystem::rename(aside, cluster, error);
    if (error) return StartFailure{fmt::format("cannot rename {} to {}: {}", aside.string(), cluster.string(), error.message())};
    return true;
}

std::optional<int> recorded_major(const std::filesystem::path& cluster) {
    std::ifstream in{cluster / "PG_VERSION"};
    int major = 0;
    if (!(in >> major)) return std::nullopt;
    return major;
}

}  // namespace

Started<ClusterFiles> prepare_cluster(const ClusterOptions& options) {
    const auto user = postgres_os_user();
    if (!user) return user.error();
    const auto closed = first_closed_folder(*user, options.data_dir);
    if (!closed) return closed.error();
    if (*closed) {
        return StartFailure{
            fmt::format("PostgreSQL runs as user {}, who cannot enter {}: open that folder (chmod o+x), choose a --data-dir that is open, "
                        "or run as an ordinary user",
                        user->name, (**closed).string())};
    }
    const auto cluster = options.data_dir / "postgres";
    const auto major = recorded_major(cluster);
    if (!major && std::filesystem::exists(cluster)) {
        return StartFailure{fmt::format("{} is there but is no PostgreSQL cluster (no PG_VERSION): move it away", cluster.string())};
    }
    const auto binaries = find_server_binaries(*user, major);
    if (!binaries) return binaries.error();
    if (!major) {
        if (const auto made = initialise(*user, *binaries, options, cluster); !made) return made.error();
    }
    if (const auto ours = make_private_folder(*user, cluster); !ours) return ours.error();
    const auto socket = socket_folder(options.data_dir);
    if (const auto ours = make_private_folder(*user, socket); !ours) return ours.error();
    return ClusterFiles{*user, *binaries, cluster, socket, options.data_dir / "postgres.log"};
}

namespace {

/// Commits are large and many: fewer, larger checkpoints; with at most 4 GB of WAL between them recovery stays within a minute or so. On a smaller disk a quarter
/// of it, so that a checkpoint under load is over long before the disk is full.
std::uint64_t wal_megabytes(const std::filesystem::path& cluster) {
    constexpr std::uint64_t most = 4096, least = 32;  // two segments
    const auto size = file_system_size(cluster / "pg_wal");
    return size ? std::clamp<std::uint64_t>((size->capacity >> 20U) / 4, least, most) : most;
}

}  // namespace

std::vector<std::string> postmaster_arguments(const ClusterFiles& files, Durability durability) {
    std::string socket = "\"";  // a list of quoted names
    for (const char c : files.socket.string()) socket += c == '"' ? std::string{"\"\""} : std::string{c};
    socket += '"';
    std::vector<std::string> settings{
        "listen_addresses=",  // no TCP
        "unix_socket_directories=" + socket, "unix_socket_permissions=0700", "port=5432", "external_pid_file=", "logging_collector=off",
        "log_destination=stderr", "log_line_prefix=%m [%p] %u@%d ", "timezone=UTC", "log_timezone=UTC", "lc_messages=C", "max_connections=60",
        "shared_buffers=256MB", fmt::format("max_wal_size={}MB", wal_megabytes(files.cluster)), "checkpoint_timeout=15min", "wal_compression=lz4",
        // A commit that meets the end of a WAL segment would wait until the next one is filled with zeroes: 20 ms and more, twice a second under load.
        "wal_init_zero=off",
        // What COPY wrote and the kernel keeps is asked to go to disk bit by bit: left to itself the kernel writes half a gigabyte at once, and every commit waits
        // a third of a second for it.
        "backend_flush_after=1MB",
        "jit=off",  // short statements: compiling them costs more than it saves
    };
    if (durability == Durability::full) {
        settings.insert(settings.end(), {"fsync=on", "synchronous_commit=on", "full_page_writes=on"});
    } else {
        settings.insert(settings.end(), {"fsync=off", "synchronous_commit=off", "full_page_writes=off"});
    }
    std::vector<std::string> arguments{"-D", files.cluster.string()};
    for (auto& setting : settings) {
        arguments.emplace_back("-c");
        arguments.push_back(std::move(setting));
    }
    return arguments;
}

int open_log(const ClusterFiles& files) {
    constexpr std::uintmax_t largest = 16U << 20U;
    std::error_code error;
    if (const auto size = std::filesystem::file_size(files.log, error); !error && size > largest) {
        std::filesystem::rename(files.log, files.log.string() + ".1", error);
    }
    return ::open(files.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

}  // namespace catenary::server::pg
