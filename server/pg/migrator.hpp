#pragma once

#include "server/pg/dsn.hpp"
#include "server/pg/start_failure.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::pg {

/// One file of migrations/, as the program was built with it.
struct MigrationFile {
    std::string_view name;  ///< "0001_log_and_signals.sql", or "roles.sql"
    std::string_view text;
};
/// Sorted by name; roles.sql last.
std::span<const MigrationFile> embedded_migrations();

/// What a run did.
struct MigrationReport {
    std::vector<std::string> applied;  ///< names of the files run now
    int version = 0;                   ///< of the newest file in the database
};

/// Brings a database up to date: the roles, then every file that is missing, each in a transaction of its own as catenary_owner, one process at a time.
/// `target` is a role that may create roles and become catenary_owner, or a superuser. Refuses a database newer than the program and a file that
/// is not what was applied. Run twice it does nothing the second time.
Started<MigrationReport> migrate(const Dsn& target, std::span<const MigrationFile> files = embedded_migrations());

/// For a start that may not change anything: the database has exactly these files.
Started<int> check_schema(const Dsn& target, std::span<const MigrationFile> files = embedded_migrations());

/// Makes the database where it is missing, owned by catenary_owner, after the roles. `maintenance` is a superuser's DSN to another database.
Started<bool> create_database(const Dsn& maintenance, const std::string& name);

}  // namespace catenary::server::pg
