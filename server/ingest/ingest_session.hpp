#pragma once

#include "server/ingest/group.hpp"
#include "server/ingest/ingest_store.hpp"

#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

namespace catenary::server {

/// What came of a group.
enum class GroupFate {
    committed,  ///< durable
    failed,     ///< nothing is stored; the connection may be gone
    collided,   ///< nothing is stored: a key exists that the dedup set did not know; run it again with `stored_first`
    leaf_gone,  ///< nothing is stored: a leaf was dropped meanwhile; load the leaves and run it again
    poisoned,   ///< nothing is stored: the database refuses some value; another group may do better
    unknown,    ///< COMMIT was sent and nothing came back
};

/// A group as it ended: its fate, and what it did when it committed.
struct GroupResult {
    GroupFate fate = GroupFate::failed;
    Group group;             ///< as it was planned last; its items are the answers when it committed
    engine::Position first;  ///< of its rows, if any
    engine::Timestamp received;
    bool collided = false;      ///< it met keys that the dedup set did not know
    std::string reason;         ///< why not committed, for the log
    bool storage_full = false;  ///< not committed because the database has no room left

    void failed(const PqError& error) {
        reason = error.what();
        storage_full = is_storage_full(error);
    }
};

/// The committer's session and everything it knows of the database. Throws PqError only where said. One thread.
class IngestSession {
public:
    IngestSession(std::unique_ptr<IngestStore> store, std::size_t dedup_bytes, const Watermarks& watermarks);

    /// Connects and makes everything ready: leaves, what became of a group whose COMMIT went unanswered, and the first time the dedup set.
    /// Throws PqError.
    void connect(engine::Timestamp now);
    bool connected() const { return store_->connected(); }
    void disconnect() { store_->disconnect(); }

    /// The key of digests, known from the first `connect` on and then constant.
    const DigestKey& key() const { return key_; }
    bool knows(engine::TenantId tenant) const { return lanes_.contains(tenant); }
    /// Looks the tenants' lanes up where they are not known yet. Throws PqError.
    void find_tenants(std::span<const WaitingRequest* const> requests);

    /// Runs one group; all of its tenants are known. After `failed` or `unknown` the connection may have to be made anew.
    GroupResult run(std::span<const WaitingRequest* const> requests, engine::Timestamp received);
    /// Writes as much as a large group would, and nothing that stays. Throws PqError: is_storage_full() when there is no room.
    void probe_room();
    /// Leaves of today and the next days. Throws PqError.
    void prepare_days(engine::Timestamp now);
    /// Signals of days before it are refused from now on.
    void take_from(Day day) { leaves_.take_from(day); }

    const DedupSet& stored() const { return stored_; }
    /// Any thread, once `key()` is known.
    std::optional<SignalKey> key_of(engine::TenantId tenant, std::string_view source, std::string_view id) const;

private:
    enum class Check { none, stored_first };
    GroupResult attempt(std::span<const WaitingRequest* const> requests, engine::Timestamp received, Check check);
    void write(GroupResult& result, std::span<const WaitingRequest* const> requests, Check check);
    Group plan(std::span<const WaitingRequest* const> requests);
    void take_back(const Group& group);
    void remember(const DedupSet::Stored& row);
    void load_stored();
    void resolve();

    std::unique_ptr<IngestStore> store_;
    const Watermarks& watermarks_;
    DigestKey key_{};
    bool loaded_ = false;
    DedupSet stored_;
    mutable std::shared_mutex stored_mutex_;  // the writer's thread alone changes and reads `stored_`; others read it by key_of()
    Leaves leaves_;
    std::map<engine::TenantId, std::int16_t> lanes_;
    std::vector<SignalKey> unresolved_;  // of a group whose COMMIT went unanswered
};

}  // namespace catenary::server
