#include "server/pg/migrator.hpp"

#include "server/pg/guarded.hpp"
#include "server/pg/sha256.hpp"

#include <fmt/format.h>
#include <pqxx/pqxx>

#include <charconv>
#include <map>

namespace catenary::server::pg {
namespace {

// One process at a time; the number only has to differ from the schema's own advisory locks.
constexpr const char* lock_sql = "SELECT pg_advisory_xact_lock(7094660)";
constexpr const char* become_owner_sql = "SET LOCAL ROLE catenary_owner";
constexpr const char* ledger_sql = R"(
    CREATE TABLE IF NOT EXISTS schema_migration (
        version int4 PRIMARY KEY,
        name    text NOT NULL,
        sha256  text NOT NULL,
        applied timestamptz NOT NULL DEFAULT now()
    );
    GRANT SELECT ON schema_migration TO catenary_ingest, catenary_lane, catenary_api)";
constexpr const char* ledger_exists_sql = "SELECT to_regclass('public.schema_migration') IS NOT NULL";
constexpr const char* recorded_sql = "SELECT version, name, sha256 FROM schema_migration ORDER BY version";
constexpr const char* record_sql = "INSERT INTO schema_migration (version, name, sha256) VALUES ($1, $2, $3)";
constexpr const char* may_become_owner_sql = "SELECT pg_has_role(current_user, 'catenary_owner', 'MEMBER')";
constexpr const char* join_owner_sql = "GRANT catenary_owner TO CURRENT_USER";
constexpr const char* may_create_sql = "SELECT has_schema_privilege('catenary_owner', 'public', 'CREATE')";
constexpr const char* let_create_sql = "GRANT CREATE, USAGE ON SCHEMA public TO catenary_owner";
constexpr const char* database_exists_sql = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";

constexpr std::string_view roles_name = "roles.sql";

struct Recorded {
    std::string name;
    std::string sha256;
};

/// "0002_results.sql" -> 2; 0 for roles.sql.
int version_of(std::string_view name) {
    int version = 0;
    std::from_chars(name.data(), name.data() + name.size(), version);
    return version;
}

std::string_view roles_text(std::span<const MigrationFile> files) {
    for (const auto& file : files) {
        if (file.name == roles_name) return file.text;
    }
    return {};
}

std::map<int, Recorded> recorded(pqxx::work& transaction) {
    std::map<int, Recorded> rows;
    if (!transaction.exec1(ledger_exists_sql)[0].as<bool>()) return rows;
    for (const auto& row : transaction.exec(recorded_sql)) rows[row[0].as<int>()] = {row[1].c_str(), row[2].c_str()};
    return rows;
}

/// What is recorded must be a prefix of what the program holds.
Started<int> compare(const std::map<int, Recorded>& rows, std::span<const MigrationFile> files) {
    int newest_known = 0;
    std::map<int, const MigrationFile*> known;
    for (const auto& file : files) {
        if (file.name == roles_name) continue;
        known[version_of(file.name)] = &file;
        newest_known = std::max(newest_known, version_of(file.name));
    }
    for (const auto& [version, row] : rows) {
        const auto file = known.find(version);
        if (file == known.end()) {
            return StartFailure{
                fmt::format("the database is newer than this program: it has migration {} ({}), the program knows up to {:04}. "
                            "Install the newer program",
                            version, row.name, newest_known)};
        }
        if (sha256_hex(file->second->text) != row.sha256) {
            return StartFailure{fmt::format("migration {} was applied with other content than this program holds: a released file was changed", row.name)};
        }
    }
    return rows.empty() ? 0 : rows.rbegin()->first;
}

void prepare_roles(pqxx::connection& connection, std::span<const MigrationFile> files) {
    pqxx::work transaction{connection};
    transaction.exec(lock_sql);
    transaction.exec(std::string{roles_text(files)});
    if (!transaction.exec1(may_become_owner_sql)[0].as<bool>()) transaction.exec(join_owner_sql);
    if (!transaction.exec1(may_create_sql)[0].as<bool>()) transaction.exec(let_create_sql);
    transaction.commit();
}

/// Whether it had to be applied.
Started<bool> apply(pqxx::connection& connection, const MigrationFile& file, std::span<const MigrationFile> files) {
    pqxx::work transaction{connection};
    transaction.exec(lock_sql);
    transaction.exec(become_owner_sql);
    const auto rows = recorded(transaction);
    if (const auto fits = compare(rows, files); !fits) return fits.error();
    if (rows.contains(version_of(file.name))) return false;
    transaction.exec(ledger_sql);
    transaction.exec(std::string{file.text});
    transaction.exec_params(record_sql, version_of(file.name), std::string{file.name}, sha256_hex(file.text));
    transaction.commit();
    return true;
}

StartFailure failure_of(const StoreError& error, const Dsn& target, std::string_view doing) {
    return StartFailure{fmt::format("{} failed ({}): {}", doing, target.shown(), error.detail)};
}

}  // namespace

Started<MigrationReport> migrate(const Dsn& target, std::span<const MigrationFile> files) {
    MigrationReport report;
    std::string doing = "connecting to the database";
    auto done = guarded([&]() -> StoreResult<std::optional<StartFailure>> {
        // Notices such as "table exists already" are of no use to anybody.
        pqxx::connection connection{target.with_setting("timezone", "UTC").with_setting("client_min_messages", "warning").text()};
        {
            doing = "reading the schema's version";
            pqxx::work transaction{connection};
            if (const auto fits = compare(recorded(transaction), files); !fits) return std::optional{fits.error()};
        }
        doing = "making the roles";
        prepare_roles(connection, files);
        for (const auto& file : files) {
            if (file.name == roles_name) continue;
            doing = fmt::format("migration {}", file.name);
            const auto applied = apply(connection, file, files);
            if (!applied) return std::optional{applied.error()};
            if (*applied) report.applied.emplace_back(file.name);
            report.version = std::max(report.version, version_of(file.name));
        }
        return std::optional<StartFailure>{};
    });
    if (!done) return failure_of(done.error(), target, doing);
    if (*done) return **done;
    return report;
}

Started<int> check_schema(const Dsn& target, std::span<const MigrationFile> files) {
    std::map<int, Recorded> rows;
    const auto read = guarded([&] {
        pqxx::connection connection{target.text()};
        pqxx::work transaction{connection};
        rows = recorded(transaction);
    });
    if (!read) return failure_of(read.error(), target, "reading the schema's version");
    const auto version = compare(rows, files);
    if (!version) return version;
    for (const auto& file : files) {
        if (file.name != roles_name && !rows.contains(version_of(file.name))) {
            return StartFailure{fmt::format("the database lacks migration {}: run `catenary migrate --database URL` with a role that may", file.name)};
        }
    }
    return version;
}

Started<bool> create_database(const Dsn& maintenance, const std::string& name) {
    auto made = guarded([&] {
        pqxx::connection connection{maintenance.with_setting("client_min_messages", "warning").text()};
        {
            pqxx::work transaction{connection};
            transaction.exec(lock_sql);
            transaction.exec(std::string{roles_text(embedded_migrations())});
            transaction.commit();
        }
        pqxx::nontransaction plain{connection};  // CREATE DATABASE runs outside transactions
        if (plain.exec_params1(database_exists_sql, name)[0].as<bool>()) return false;
        plain.exec("CREATE DATABASE " + connection.quote_name(name) + " OWNER catenary_owner");
        return true;
    });
    if (!made) return failure_of(made.error(), maintenance, "making the database");
    return *made;
}

}  // namespace catenary::server::pg
