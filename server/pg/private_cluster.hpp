#pragma once

#include "server/pg/dsn.hpp"
#include "server/pg/start_failure.hpp"

#include <sys/types.h>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace catenary::server::pg {

/// Whether a commit is on disk when it is answered. `relaxed` is for tests that are not about that: it turns fsync off.
enum class Durability { full, relaxed };

struct ClusterOptions {
    std::filesystem::path data_dir;  ///< the locked data folder; the cluster lives in its sub-folder `postgres`
    Durability durability = Durability::full;
    /// What takes long, for people: "waiting for PostgreSQL to recover (12 s)". Called from more than one thread. May be empty.
    std::function<void(std::string_view)> progress;
};

/// PostgreSQL of our own: its files under the data folder, its postmaster our child, reachable only through a Unix socket in a folder of mode 0700.
/// Everybody who can enter that folder (its owner and root) is trusted as any role; nobody else can, so there are no passwords to keep.
///
///   absent ──initdb──▶ stopped ──▶ starting ──▶ ready ──▶ stopping ──▶ stopped
///                                     ▲           │ the postmaster died
///                                     └───────────┘ by itself, with back-off
///
/// While it is not ready, connections fail and stores answer `unavailable`. A postmaster that an earlier server left behind is stopped first, and its
/// back-ends are waited for. Run by root, PostgreSQL runs as an ordinary user (CATENARY_POSTGRES_USER, else the user behind sudo, else postgres, else nobody).
class PrivateCluster {
public:
    /// Blocks until the cluster accepts connections; recovery of a large cluster may take minutes, `progress` tells.
    static Started<std::unique_ptr<PrivateCluster>> start(ClusterOptions options);

    ~PrivateCluster();  // stops the postmaster: see stop()
    PrivateCluster(const PrivateCluster&) = delete;
    PrivateCluster& operator=(const PrivateCluster&) = delete;

    /// Fast shutdown; immediate if that takes longer than 30 s. Returns when the postmaster has ended. Idempotent.
    void stop();

    /// Where to connect as `user` (a role of the cluster; `superuser` may do everything) to `database`.
    Dsn dsn(std::string_view user, std::string_view database) const;
    static constexpr std::string_view superuser = "postgres";

    /// Where its files lie.
    const std::filesystem::path& folder() const;
    /// Process id of the postmaster; 0 while there is none.
    pid_t postmaster() const;
    /// How often it had to be started again because it died.
    std::int64_t restarts() const;

private:
    class Keeper;
    explicit PrivateCluster(std::unique_ptr<Keeper> keeper);
    std::unique_ptr<Keeper> keeper_;
};

}  // namespace catenary::server::pg
