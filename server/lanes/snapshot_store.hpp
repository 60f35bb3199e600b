#pragma once

#include "server/lanes/snapshot_set.hpp"

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

/// How far the log and the results of each lane are.
struct LogEnd {
    engine::Position next;
    std::map<std::int16_t, engine::Position> done;
};

/// A version of a pattern that a tenant brought in.
struct PostedPattern {
    std::string document;
    std::int32_t version = 0;
    std::string mode;
};

/// Sets of snapshots in the database, and what says whether they still fit it. One thread; throws PqError.
class SnapshotStore {
public:
    virtual ~SnapshotStore() = default;

    enum class Stored { yes, known, stopped };
    /// One transaction: the set whole, and only the newest `keep` sets stay; or nothing, when the position is `known` already, or `stopping`, asked between
    /// chunks, says so. After a PqError the session is of no use any more.
    virtual Stored write(const SnapshotSet& set, int keep, const std::function<bool()>& stopping) = 0;

    /// Newest first.
    virtual std::vector<StoredSnapshot> list() = 0;
    /// Throws SnapshotUnreadable.
    virtual SnapshotSet read(const StoredSnapshot& snapshot) = 0;

    virtual LogEnd log_end() = 0;
    /// Those whose control entries are at or before `until`.
    virtual std::vector<PostedPattern> posted_patterns(engine::Position until) = 0;
};

}  // namespace catenary::server
