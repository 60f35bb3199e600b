#include "server/pg/pattern_version_store.hpp"

#include "api/json/control_json.hpp"
#include "server/pg/control_entry.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>

namespace catenary::server::pg {
namespace {

using api::ports::PatternVersion;

constexpr const char* list_sql =
    "SELECT DISTINCT ON (id) id, version, mode, document, created, created_by FROM pattern_version ORDER BY id, version DESC";
constexpr const char* find_sql =
    "SELECT id, version, mode, document, created, created_by FROM pattern_version WHERE id = $1 ORDER BY version DESC LIMIT 1";
constexpr const char* count_sql = "SELECT count(DISTINCT id) FROM pattern_version";
constexpr const char* insert_sql = R"(
    INSERT INTO pattern_version (tenant, id, version, mode, document, position, created, created_by)
    VALUES (current_tenant(), $1, $2, $3, $4, $5, clock_timestamp(), $6)
    RETURNING id, version, mode, document, created, created_by)";

PatternVersion version_from(const pqxx::row& row) {
    PatternVersion version;
    version.id = row[0].c_str();
    version.version = row[1].as<std::int32_t>();
    const std::string_view mode = row[2].c_str();
    for (const auto known : {engine::Mode::off, engine::Mode::flighting, engine::Mode::production}) {
        if (mode == engine::to_string(known)) version.mode = known;
    }
    version.document_json = row[3].c_str();
    version.created = timestamp_from(row[4]);
    version.created_by = row[5].c_str();
    return version;
}

}  // namespace

api::ports::Outcome<std::vector<PatternVersion>> PatternVersionStore::list(const api::Caller& caller) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [](pqxx::work& transaction) {
                                             std::vector<PatternVersion> versions;
                                             for (const auto& row : transaction.exec(list_sql)) versions.push_back(version_from(row));
                                             return versions;
                                         }),
                      "list_patterns");
}

api::ports::Outcome<PatternVersion> PatternVersionStore::find(const api::Caller& caller, const std::string& id) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](pqxx::work& transaction) -> StoreResult<PatternVersion> {
                                             const auto rows = transaction.exec_params(find_sql, id);
                                             if (rows.empty()) return StoreError{StoreErrorCode::not_found, fmt::format("there is no pattern {}", id)};
                                             return version_from(rows[0]);
                                         }),
                      "find_pattern");
}

api::ports::Outcome<PatternVersion> PatternVersionStore::add(const api::Caller& caller, const PatternVersion& version,
                                                             std::optional<engine::Timestamp> effective_from) {
    const auto body = api::json::pattern_control_text(version.id, version.version, version.mode, effective_from, version.document_json);
    auto added = tenant_transaction(pool_, caller, Access::write, [&](pqxx::work& transaction) -> StoreResult<PatternVersion> {
        // The entry first: its lock on the log makes additions follow one another, so the count below is exact.
        const auto position = append_control(transaction, caller.tenant, "pattern", body);
        if (transaction.exec1(count_sql)[0].as<int>() >= most_documents) {
            return StoreError{StoreErrorCode::invalid, fmt::format("a tenant has at most {} patterns of its own", most_documents)};
        }
        return version_from(transaction.exec_params1(insert_sql, version.id, version.version, engine::to_string(version.mode), version.document_json,
                                                     position.value(), caller.key_id));
    });
    if (added && appended_) appended_();
    return to_outcome(std::move(added), "add_pattern");
}

}  // namespace catenary::server::pg
