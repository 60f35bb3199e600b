#include "server/pg/pattern_rows.hpp"

#include "api/documents/pattern_document.hpp"
#include "server/pg/sql_text.hpp"

#include <fmt/format.h>

namespace catenary::server::pg {
namespace {

constexpr const char* lock_sql = "SELECT pg_advisory_xact_lock(7094663, $1)";
constexpr const char* write_head_sql = R"(
    INSERT INTO pattern (tenant, id, version, mode, revision, shipped, retired, changed, changed_by, production, flighting)
    VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, clock_timestamp(), $7, nullif($8::int4, $2), nullif($9::int4, $2))
    ON CONFLICT (tenant, id) DO UPDATE SET version = excluded.version, mode = excluded.mode, revision = excluded.revision, shipped = excluded.shipped,
        retired = excluded.retired, changed = excluded.changed, changed_by = excluded.changed_by, production = excluded.production,
        flighting = excluded.flighting)";
constexpr const char* insert_version_sql = R"(
    INSERT INTO pattern_version (tenant, id, version, mode, document, position, created, created_by)
    VALUES (current_tenant(), $1, $2, $3, $4, $5, clock_timestamp(), $6))";

/// A mode that this program does not know runs nothing, so it is shown as what it does.
engine::Mode mode_of(const pqxx::field& field) { return api::documents::mode_from(field.c_str()).value_or(engine::Mode::off); }

/// The version that runs in a mode: the newest one, else the one that is named beside it.
std::optional<std::int32_t> running(const api::ports::PatternVersion& newest, engine::Mode mode, const pqxx::field& beside) {
    if (newest.mode == mode) return newest.version;
    return beside.is_null() ? std::nullopt : std::optional{beside.as<std::int32_t>()};
}

}  // namespace

const char* const pattern_head_select =
    "SELECT p.id, p.version, p.mode, p.revision, p.shipped, p.retired, p.changed, p.changed_by, v.document, v.created, v.created_by, "
    "p.production, p.flighting "
    "FROM pattern p LEFT JOIN pattern_version v ON v.tenant = p.tenant AND v.id = p.id AND v.version = p.version";

PatternHead pattern_head_from(const pqxx::row& row) {
    PatternHead head;
    auto& version = head.version;
    version.id = row[0].c_str();
    version.version = row[1].as<std::int32_t>();
    version.mode = mode_of(row[2]);
    version.revision = row[3].as<std::int64_t>();
    version.shipped = row[4].as<bool>();
    head.retired = row[5].as<bool>();
    version.changed = timestamp_from(row[6]);
    version.changed_by = row[7].c_str();
    version.production = running(version, engine::Mode::production, row[11]);
    version.flighting = running(version, engine::Mode::flighting, row[12]);
    if (row[8].is_null()) return head;
    version.document_json = row[8].c_str();
    version.created = timestamp_from(row[9]);
    version.created_by = row[10].c_str();
    return head;
}

api::ports::PatternVersion pattern_version_from(const pqxx::row& row) {
    api::ports::PatternVersion version;
    version.id = row[0].c_str();
    version.version = row[1].as<std::int32_t>();
    version.mode = mode_of(row[2]);
    version.document_json = row[3].c_str();
    version.created = timestamp_from(row[4]);
    version.created_by = row[5].c_str();
    return version;
}

void lock_patterns(TenantTransaction& transaction, const api::Caller& caller) { transaction.exec_params(lock_sql, caller.tenant.value()); }

std::optional<PatternHead> find_pattern_head(TenantTransaction& transaction, const std::string& id) {
    const auto rows = transaction.exec_params(fmt::format("{} WHERE p.id = $1", pattern_head_select), id);
    if (rows.empty()) return std::nullopt;
    return pattern_head_from(rows[0]);
}

PatternHead write_pattern_head(TenantTransaction& transaction, const PatternHead& head, const std::string& actor) {
    const auto& version = head.version;
    transaction.exec_params0(write_head_sql, version.id, version.version, engine::to_string(version.mode), version.revision + 1, version.shipped, head.retired,
                             actor, version.production, version.flighting);
    return *find_pattern_head(transaction, version.id);
}

void insert_pattern_version(TenantTransaction& transaction, const PatternHead& head, engine::Position position, const std::string& actor) {
    const auto& version = head.version;
    transaction.exec_params0(insert_version_sql, version.id, version.version, engine::to_string(version.mode), version.document_json, position.value(), actor);
}

}  // namespace catenary::server::pg
