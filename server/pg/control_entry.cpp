#include "server/pg/control_entry.hpp"

namespace catenary::server::pg {

engine::Position append_control(TenantTransaction& transaction, engine::TenantId tenant, std::string_view kind, const std::string& body) {
    constexpr const char* append_sql = "SELECT append_control($1, $2, $3)";
    return engine::Position{transaction.exec_params1(append_sql, tenant.value(), std::string{kind}, body)[0].as<std::int64_t>()};
}

}  // namespace catenary::server::pg
