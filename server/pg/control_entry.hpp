#pragma once

#include "engine/model/ids.hpp"

#include "server/pg/tenant_transaction.hpp"

#include <pqxx/pqxx>

#include <string>
#include <string_view>

namespace catenary::server::pg {

/// Appends a control entry to the log within the transaction, which holds the log (and with it all ingest) from here to its end: be brief.
engine::Position append_control(TenantTransaction& transaction, engine::TenantId tenant, std::string_view kind, const std::string& body);

}  // namespace catenary::server::pg
