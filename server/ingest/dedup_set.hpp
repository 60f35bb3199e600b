#pragma once

#include "server/ingest/signal_key.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace catenary::server {

/// Which signals are stored, by (tenant, source, id), with the time and content they were stored with: finds repeats also under another time.
/// Bounded by bytes: when full it forgets the oldest event hours; repeats of what it forgot still meet the unique key of their leaf if their time is
/// the same. One thread.
class DedupSet {
public:
    explicit DedupSet(std::size_t capacity_bytes);

    struct Stored {
        SignalKey key;
        std::int64_t content = 0;
    };
    /// What is stored under the id of `key`, if known.
    std::optional<Stored> find(const SignalKey& key) const;
    /// Adds what `find` did not know.
    void add(const Stored& stored);
    void remove(const SignalKey& key);

    std::size_t size() const { return size_; }
    std::size_t capacity() const { return capacity_; }
    /// Entries forgotten to make room.
    std::uint64_t evicted() const { return evicted_; }

private:
    struct IdHash {
        using is_avalanching = void;
        std::size_t operator()(const Stored& stored) const { return stored.key.low; }
    };
    struct SameId {
        bool operator()(const Stored& left, const Stored& right) const { return left.key.same_id(right.key); }
    };
    using Shard = boost::unordered_flat_set<Stored, IdHash, SameId>;

    // Many small tables grow one at a time: no insertion waits for millions of entries to move. Chosen by bits that the tables do not use.
    Shard& shard(const SignalKey& key) { return shards_[key.high & (shards_.size() - 1)]; }
    const Shard& shard(const SignalKey& key) const { return shards_[key.high & (shards_.size() - 1)]; }
    static std::int64_t hour(const SignalKey& key) { return key.millis() / 3'600'000; }
    void forget_oldest();

    std::size_t capacity_;
    std::size_t size_ = 0;
    std::uint64_t evicted_ = 0;
    std::array<Shard, 256> shards_;
    std::map<std::int64_t, std::size_t> hours_;  // entries by event hour
};

}  // namespace catenary::server
