#pragma once

#include "server/ingest/copy_encoder.hpp"
#include "server/ingest/dictionaries.hpp"
#include "server/ingest/group.hpp"
#include "server/ingest/leaves.hpp"
#include "server/ingest/pq_connection.hpp"

#include <optional>
#include <string>

namespace catenary::server {

/// What came of a group.
enum class GroupFate {
    committed,  ///< durable
    failed,     ///< nothing is stored; the connection may be gone
    collided,   ///< nothing is stored: a key exists that the dedup set did not know; run it again with `known_first`
    leaf_gone,  ///< nothing is stored: a leaf was dropped meanwhile; load the leaves and run it again
    poisoned,   ///< nothing is stored: the database refuses some value; another group may do better
    unknown,    ///< COMMIT was sent and nothing came back
};

/// Writes groups: positions, dictionaries, rows and batch rows of a group in one transaction.
class GroupWriter {
public:
    /// `dictionary_bytes`, `key`: see Dictionaries.
    GroupWriter(std::size_t dictionary_bytes, const DigestKey& key) : dictionaries_{dictionary_bytes, key} {}

    /// Opens the transaction and locks the log: from here until the end of the transaction nobody else adds to the log. Throws PqError.
    void begin(PqConnection& connection);
    /// Which of the group's keys are stored already; inside the transaction.
    std::vector<DedupSet::Stored> stored_already(PqConnection& connection, const Group& group, const LeafCalendar& calendar);
    /// Adds the group's rows and returns its first position. Throws PqError.
    engine::Position write(PqConnection& connection, const Group& group, const LeafCalendar& calendar, engine::Timestamp received);
    /// Sends COMMIT. `committed`, `failed` or `unknown`.
    GroupFate commit(PqConnection& connection);
    void roll_back(PqConnection& connection) noexcept;

    /// What the last failed COMMIT came of.
    const PqError& failure() const { return failure_; }

private:
    void copy(PqConnection& connection, const Group& group, const RowIds& ids, const LeafCalendar& calendar, engine::Position first,
              engine::Timestamp received);
    void add_batches(PqConnection& connection, const Group& group, engine::Position first);

    Dictionaries dictionaries_;
    CopyEncoder encoder_;
    PqError failure_{"", "", false};
};

/// The fate that a failed statement means for the group, before COMMIT.
GroupFate fate_of(const PqError& error);
/// The database has no room left on its disk: it says so by SQLSTATE, and where a session cannot even begin only in words.
bool is_storage_full(const PqError& error);

}  // namespace catenary::server
