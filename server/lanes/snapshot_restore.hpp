#pragma once

#include "engine/lane/lane.hpp"
#include "server/lanes/origin.hpp"
#include "server/lanes/snapshot_store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace catenary::server {

/// Engines with every entry up to a position in them.
struct RestoredLanes {
    engine::Position position;
    std::int64_t bytes = 0;  ///< of the states
    std::map<std::int16_t, engine::Lane> lanes;
    std::vector<HeardSource> sources;
};

struct Restoration {
    std::optional<RestoredLanes> restored;  ///< empty: no snapshot is of use
    std::int64_t refused = 0;               ///< newer snapshots that were of no use
};

/// From the newest snapshot that can be read, was made by this version of the program over this catalogue, holds nothing beyond the committed results of
/// any lane, and is followed by nothing that was made otherwise or is gone. Says in the log why others were not taken. Throws PqError.
Restoration restore_lanes(SnapshotStore& store, const engine::Catalogue& shipped, const Origin& origin);

}  // namespace catenary::server
