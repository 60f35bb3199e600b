#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "server/ingest/dedup_set.hpp"
#include "server/ingest/digest.hpp"
#include "server/ingest/leaves.hpp"
#include "server/ingest/pq_error.hpp"
#include "server/ingest/signal_key.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace catenary::server {

struct Group;

/// How a COMMIT ended.
enum class CommitFate {
    committed,  ///< durable
    failed,     ///< nothing is stored
    unknown,    ///< COMMIT was sent and nothing came back
};

/// What ingest needs of the database: a session, made by `connect` and again whenever it broke, with one transaction at a time. Every failure is a
/// PqError unless said otherwise. One thread.
class IngestStore : public LeafStore {
public:
    /// Instead of the session there was, if any; its transaction is given up.
    virtual void connect() = 0;
    virtual bool connected() const = 0;
    virtual void disconnect() = 0;

    /// Of digests; the same for ever.
    virtual DigestKey digest_key() = 0;
    /// The lanes of those tenants that there are.
    virtual std::map<engine::TenantId, std::int16_t> lanes_of(std::span<const std::int32_t> tenants) = 0;
    /// Passes on the keys stored in one leaf, in any order, until `take` returns false.
    virtual void each_stored(Day leaf, Day end, const std::function<bool(const DedupSet::Stored&)>& take) = 0;

    /// Opens the transaction and locks the log: waits for the transaction that holds it, and until this one ends nobody else adds to the log.
    virtual void begin() = 0;
    /// Those of the keys that are stored, with what is stored under them.
    virtual std::vector<DedupSet::Stored> stored_already(std::span<const SignalKey> keys, const LeafCalendar& calendar) = 0;
    /// Takes positions for the group's rows, the next ones of the log without a gap, adds the rows, and returns the first position. SQL states: 23505 when
    /// a key is stored already, 42P01 when a leaf is gone.
    virtual engine::Position write(const Group& group, const LeafCalendar& calendar, engine::Timestamp received) = 0;
    /// Does not throw.
    virtual CommitFate commit() = 0;
    /// Ends the transaction if it is still open.
    virtual void roll_back() noexcept = 0;

    /// What the last failed COMMIT came of.
    virtual const PqError& failure() const = 0;

    /// Outside of transactions: writes as much as a large group would, and nothing that stays. Fails as is_storage_full() when there is no room.
    virtual void probe_room() = 0;
};

}  // namespace catenary::server
