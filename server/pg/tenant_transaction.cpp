#include "server/pg/tenant_transaction.hpp"

#include <string>

namespace catenary::server::pg {

void begin_for_tenant(pqxx::work& transaction, const Acting& acting, Access access) {
    // The tenant first (the empty one sees no rows). All of it lasts until the transaction ends.
    std::string sql = "SET LOCAL app.tenant = '" + (acting.tenant ? std::to_string(acting.tenant->value()) : std::string{}) + "'";
    if (access == Access::read) sql += "; SET TRANSACTION READ ONLY";
    if (access == Access::write && !acting.actor.empty()) sql += "; SET LOCAL app.actor = " + transaction.quote(acting.actor);
    transaction.exec(sql);
}

}  // namespace catenary::server::pg
