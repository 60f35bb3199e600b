#include "server/pg/tenant_transaction.hpp"

#include <string>

namespace catenary::server::pg {

void begin_for_tenant(pqxx::work& transaction, std::optional<engine::TenantId> tenant, Access access) {
    // The tenant first (the empty one sees no rows). Both last until the transaction ends. Integers only: nothing to escape.
    transaction.exec("SET LOCAL app.tenant = '" + (tenant ? std::to_string(tenant->value()) : std::string{}) + "'" +
                     (access == Access::read ? "; SET TRANSACTION READ ONLY" : ""));
}

}  // namespace catenary::server::pg
