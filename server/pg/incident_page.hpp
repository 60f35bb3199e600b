#pragma once

#include "api/ports/ports.hpp"
#include "engine/incidents/records.hpp"
#include "server/pg/store_error.hpp"
#include "server/pg/tenant_transaction.hpp"

namespace catenary::server::pg {

/// A page of the tenant's incidents in the filter's order, the number breaking ties. `invalid` for a cursor of another list.
StoreResult<api::ports::Page<engine::IncidentRecord>> read_incident_page(TenantTransaction& transaction, const api::ports::IncidentFilter& filter,
                                                                         const api::ports::PageRequest& request);

}  // namespace catenary::server::pg
