#pragma once

#include "engine/matching/pattern.hpp"
#include "engine/snapshot/writer.hpp"

namespace catenary::engine {

/// Of everything in a pattern but its mode, which only says how it is deployed at first: patterns of equal hashes are exchangeable once they run.
SnapshotHash content_hash(const Pattern& pattern);

}  // namespace catenary::engine
