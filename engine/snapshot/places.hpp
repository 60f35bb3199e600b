#pragma once

#include "engine/snapshot/reader.hpp"

#include <cstdint>
#include <vector>

namespace catenary::engine {

/// Places to be used again, the next one last: each place that is not `used`, once.
void load_free_places(SnapshotReader& in, std::vector<std::uint32_t>& free, const std::vector<bool>& used);

}  // namespace catenary::engine
