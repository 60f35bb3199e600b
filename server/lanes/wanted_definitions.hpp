#pragma once

#include "engine/matching/pattern.hpp"
#include "engine/model/ids.hpp"
#include "server/ingest/pq_connection.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace catenary::server {

/// The tenant's definitions (def.id) that a signal wanted by the pattern may have, as the engine's own index of stages tells. Empty when there are more than `most`.
std::optional<std::vector<std::int32_t>> wanted_definitions(PqConnection& connection, engine::TenantId tenant, const engine::Pattern& pattern,
                                                            std::size_t most);

}  // namespace catenary::server
