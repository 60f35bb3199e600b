#include "server/pg/tenant_lane.hpp"

namespace catenary::server::pg {

std::int16_t lane_of(TenantTransaction& transaction, const api::Caller& caller) {
    constexpr const char* lane_sql = "SELECT coalesce((SELECT lane FROM key_for($1)), (($2::int4 - 1) % (SELECT lanes FROM layout))::int2)";
    return transaction.exec_params1(lane_sql, caller.key_id, caller.tenant.value())[0].as<std::int16_t>();
}

}  // namespace catenary::server::pg
