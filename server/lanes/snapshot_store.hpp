#pragma once

#include "server/ingest/pq_connection.hpp"
#include "server/lanes/snapshot_chunk.hpp"
#include "server/lanes/snapshot_set.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace catenary::server {

/// A stored snapshot is not what was written, or not all of it.
class SnapshotUnreadable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What is stored of a set, its bytes apart.
struct StoredSnapshot {
    struct Lane {
        engine::Position done;
        std::int64_t bytes = 0;
        std::int32_t chunks = 0;
        std::string sha256;
    };
    engine::Position position;
    std::int16_t lane_count = 0;  ///< of the set as it was written
    std::string engine;
    std::string catalogue;
    std::map<std::int16_t, Lane> lanes;

    std::int64_t bytes() const;
};

/// Sets of snapshots in the database. One thread; throws PqError.
class SnapshotStore {
public:
    /// `session` outlives this. `chunk_bytes`: 1 .. most_chunk_bytes.
    explicit SnapshotStore(PqConnection& session, std::size_t chunk_bytes = most_chunk_bytes) : session_{session}, chunk_bytes_{chunk_bytes} {}

    enum class Stored { yes, known, stopped };
    /// One transaction: the set whole, and only the newest `keep` sets stay; or nothing, when the position is `known` already, or `stopping`, asked between
    /// chunks, says so. After a PqError the session is of no use any more.
    Stored write(const SnapshotSet& set, int keep, const std::function<bool()>& stopping);

    /// Newest first.
    std::vector<StoredSnapshot> list();
    /// Throws SnapshotUnreadable.
    SnapshotSet read(const StoredSnapshot& snapshot);

private:
    bool write_lane(const SnapshotSet& set, std::int16_t lane, const std::function<bool()>& stopping);
    void write_sources(const SnapshotSet& set);
    std::string read_state(const StoredSnapshot& snapshot, std::int16_t lane);
    std::vector<HeardSource> read_sources(engine::Position position);

    PqConnection& session_;
    std::size_t chunk_bytes_;
};

}  // namespace catenary::server
