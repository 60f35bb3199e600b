#pragma once

#include "server/ingest/pq_connection.hpp"
#include "server/lanes/snapshot_chunk.hpp"
#include "server/lanes/snapshot_store.hpp"

#include <cstddef>

namespace catenary::server {

/// In PostgreSQL: states packed, in chunks.
class PqSnapshotStore final : public SnapshotStore {
public:
    /// `session` outlives this. `chunk_bytes`: 1 .. most_chunk_bytes.
    explicit PqSnapshotStore(PqConnection& session, std::size_t chunk_bytes = most_chunk_bytes) : session_{session}, chunk_bytes_{chunk_bytes} {}

    Stored write(const SnapshotSet& set, int keep, const std::function<bool()>& stopping) override;
    std::vector<StoredSnapshot> list() override;
    SnapshotSet read(const StoredSnapshot& snapshot) override;
    LogEnd log_end() override;
    std::vector<PostedPattern> posted_patterns(engine::Position until) override;

private:
    bool write_lane(const SnapshotSet& set, std::int16_t lane, const std::function<bool()>& stopping);
    void write_sources(const SnapshotSet& set);
    std::string read_state(const StoredSnapshot& snapshot, std::int16_t lane);
    std::vector<HeardSource> read_sources(engine::Position position);

    PqConnection& session_;
    std::size_t chunk_bytes_;
};

}  // namespace catenary::server
