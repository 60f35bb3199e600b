#pragma once

#include "engine/lane/lane.hpp"
#include "tests/simulator/database.hpp"
#include "tests/support/lane_story.hpp"

#include <map>
#include <vector>

namespace catenary::simulator {

/// The committed entries of each tenant, in position order, with the attributes that some pattern of the log or of `shipped` reads. Throws std::runtime_error
/// when a control entry cannot be read.
std::map<engine::TenantId, std::vector<test::LogEntry>> stored_log(Database& database, const engine::Catalogue& shipped);

}  // namespace catenary::simulator
