#pragma once

#include "server/ingest/committer.hpp"
#include "server/ingest/group_writer.hpp"

#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

namespace catenary::server {

/// A group as it ended: its fate, and what it did when it committed.
struct GroupResult {
    GroupFate fate = GroupFate::failed;
    Group group;             ///< as it was planned last; its items are the answers when it committed
    engine::Position first;  ///< of its rows, if any
    engine::Timestamp received;
    bool collided = false;  ///< it met keys that the dedup set did not know
    std::string reason;         ///< why not committed, for the log
    bool storage_full = false;  ///< not committed because the database has no room left

    void failed(const PqError& error) {
        reason = error.what();
        storage_full = is_storage_full(error);
    }
};

/// The committer's connection and everything it knows of the database. Throws PqError only where said. One thread.
class IngestSession {
public:
    IngestSession(const CommitterOptions& options, const Watermarks& watermarks);

    /// Connects and makes everything ready: leaves, what became of a group whose COMMIT went unanswered, and the first time the dedup set.
    /// Throws PqError.
    void connect(engine::Timestamp now);
    bool connected() const { return connection_ != nullptr && connection_->good(); }
    void disconnect() { connection_.reset(); }

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

    /// A group whose COMMIT went unanswered.
    struct Unresolved {
        SignalKey key;  ///< of one of its rows
        engine::Position position;
        std::vector<DedupSet::Stored> rows;
    };

    const CommitterOptions& options_;
    const Watermarks& watermarks_;
    std::unique_ptr<PqConnection> connection_;
    DigestKey key_{};
    bool loaded_ = false;
    std::unique_ptr<GroupWriter> writer_;
    DedupSet stored_;
    mutable std::shared_mutex stored_mutex_;  // the writer's thread alone changes and reads `stored_`; others read it by key_of()
    Leaves leaves_;
    std::map<engine::TenantId, std::int16_t> lanes_;
    std::optional<Unresolved> unresolved_;
};

}  // namespace catenary::server
