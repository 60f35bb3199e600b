#pragma once

#include "engine/incidents/stored_incidents.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <optional>

#include <pqxx/transaction>

namespace catenary::server::pg {

/// A tenant's incidents with findings in production that start at `earliest` or later, all findings of those, and the incidents that redirect to them.
/// `last_number` is left at 0. As catenary_lane; throws what libpqxx throws.
engine::StoredIncidents stored_incidents(pqxx::work& transaction, engine::TenantId tenant, std::optional<engine::Timestamp> earliest);

}  // namespace catenary::server::pg
