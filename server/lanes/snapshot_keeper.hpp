#pragma once

#include "server/lanes/snapshot_set.hpp"

namespace catenary::server {

/// Stores snapshots beside the lanes, which go on meanwhile: one at a time. What became of each is on the board; one that could not be stored is dropped.
class SnapshotKeeper {
public:
    /// Gives up what is being stored.
    virtual ~SnapshotKeeper() = default;
    virtual bool busy() const = 0;
    /// Only when not busy.
    virtual void keep(SnapshotSet set) = 0;
};

}  // namespace catenary::server
