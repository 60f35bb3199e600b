#pragma once

#include "server/pg/pool.hpp"
#include "server/pg/private_cluster.hpp"
#include "server/pg/start_failure.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::server::pg {

/// What a connection acts as (migrations/README.md).
enum class Role { ingest, lane, api };
std::string_view to_string(Role role);  ///< "catenary_ingest" …

struct DatabaseOptions {
    std::filesystem::path data_dir;                       ///< locked already (DataFolder); used when there is no `url`
    std::optional<std::string> url;                       ///< a database somebody else runs, migrated with `catenary migrate`
    std::size_t api_connections = 8;                      ///< as many as worker threads
    std::chrono::milliseconds statement_timeout{10'000};  ///< of requests; the committer and the lanes have none
    std::chrono::milliseconds patience{5'000};            ///< longest wait for a free connection of the pool
    Durability durability = Durability::full;             ///< of the private cluster
    std::function<void(std::string_view)> progress;
};

/// The database the server works on: a private cluster, or one given by URL. Checked once at start: schema up to date, and the role we log in as
/// can neither pass row-level security nor change the schema.
class Database {
public:
    static Started<std::unique_ptr<Database>> open(DatabaseOptions options);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// For a connection of one's own that acts as `role`: UTC, and the statement time-out for `Role::api`. Holds a password if there is one.
    std::string dsn(Role role) const;
    /// Connections of `Role::api` for the stores.
    Pool& api() { return api_; }
    /// Null when the database was given by URL.
    PrivateCluster* cluster() { return cluster_.get(); }

    /// Closes the private cluster. All connections of others must be closed; idle ones of the pool do not matter. Idempotent.
    void stop();

private:
    Database(std::unique_ptr<PrivateCluster> cluster, Dsn login, const DatabaseOptions& options);
    std::unique_ptr<PrivateCluster> cluster_;
    Dsn login_;
    std::chrono::milliseconds statement_timeout_;
    Pool api_;
};

/// Refuses a login role that is a superuser, may bypass row-level security, or may become catenary_owner; and one that cannot become the three roles we need.
Started<bool> check_login(const Dsn& login);
/// `login` acting as `role`.
Dsn acting_as(const Dsn& login, Role role);

}  // namespace catenary::server::pg
