#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace catenary::server::pg {
namespace {

/// The empty tenant sees no rows. All of it lasts until the transaction ends.
std::string begin_sql(pqxx::connection_base& connection, const Acting& acting, Access access) {
    std::string sql = access == Access::write ? "BEGIN" : "BEGIN READ ONLY";
    sql += "; SET LOCAL app.tenant = '" + (acting.tenant ? std::to_string(acting.tenant->value()) : std::string{}) + "'";
    if (access == Access::look_up) sql += "; SET LOCAL plan_cache_mode = force_generic_plan";
    if (access == Access::write && !acting.actor.empty()) sql += "; SET LOCAL app.actor = " + connection.quote(acting.actor);
    return sql;
}

}  // namespace

TenantTransaction::TenantTransaction(pqxx::connection_base& connection, const Acting& acting, Access access)
    : namedclass{"TenantTransaction"}, dbtransaction{connection}, begin_sql_{begin_sql(connection, acting, access)} {
    Begin();
}

TenantTransaction::~TenantTransaction() { End(); }

std::string TenantTransaction::execute_sql(const std::string& name, const std::vector<std::string>& literals) {
    return fmt::format("EXECUTE {}({})", name, fmt::join(literals, ", "));
}

std::vector<pqxx::result> TenantTransaction::results(const std::vector<std::string>& calls) {
    pqxx::pipeline pipeline{*this};
    pipeline.retain(static_cast<int>(calls.size()));
    std::vector<pqxx::pipeline::query_id> ids;
    for (const auto& call : calls) ids.push_back(pipeline.insert(call));
    std::vector<pqxx::result> found;
    for (const auto id : ids) found.push_back(pipeline.retrieve(id));
    return found;
}

void TenantTransaction::do_begin() { direct_exec(begin_sql_.c_str()); }

void TenantTransaction::do_commit() {
    try {
        direct_exec("COMMIT");
    } catch (const std::exception& error) {
        if (conn().is_open()) throw;
        throw pqxx::in_doubt_error{std::string{"the connection broke at COMMIT: "} + error.what()};
    }
}

}  // namespace catenary::server::pg
