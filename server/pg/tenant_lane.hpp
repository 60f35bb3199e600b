#pragma once

#include "api/ports/caller.hpp"

#include "server/pg/tenant_transaction.hpp"

#include <pqxx/pqxx>

#include <cstdint>

namespace catenary::server::pg {

/// The lane of the caller's tenant, as its key's look-up says; for a key that has gone meanwhile, as the schema deals lanes out.
std::int16_t lane_of(TenantTransaction& transaction, const api::Caller& caller);

}  // namespace catenary::server::pg
