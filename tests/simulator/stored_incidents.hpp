#pragma once

#include "engine/incidents/stored_incidents.hpp"
#include "tests/simulator/database.hpp"

#include <optional>
#include <string>

namespace catenary::simulator {

/// What the result tables hold of the incidents of a tenant that have findings from `earliest` on, and of the newest ones, as PostgreSQL would answer (server/pg/stored_incidents.hpp).
engine::StoredIncidents stored_incidents(const Tables& tables, engine::TenantId tenant, std::optional<engine::Timestamp> earliest);

/// The greatest number of an incident of the tenant; 0: there is none.
std::int64_t last_number(const Tables& tables, engine::TenantId tenant);

/// What is wrong with the rows taken by themselves: findings are in incidents that exist and lead nowhere else, with as much evidence as they say, and
/// open incidents count what their findings have.
std::optional<std::string> unsound(const Tables& tables);

/// What was reported in `before` and is no longer there: findings and incidents stay, whatever becomes of them.
std::optional<std::string> lost(const Tables& before, const Tables& after);

}  // namespace catenary::simulator
