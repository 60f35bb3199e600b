#pragma once

#include "server/ingest/copy_encoder.hpp"
#include "server/ingest/dictionaries.hpp"
#include "server/ingest/group.hpp"
#include "server/ingest/ingest_store.hpp"
#include "server/ingest/leaves.hpp"
#include "server/ingest/pq_connection.hpp"

#include <span>
#include <string>
#include <vector>

namespace catenary::server {

/// Writes groups: positions, dictionaries, rows and batch rows of a group in one transaction.
class GroupWriter {
public:
    /// `dictionary_bytes`, `key`: see Dictionaries.
    GroupWriter(std::size_t dictionary_bytes, const DigestKey& key) : dictionaries_{dictionary_bytes, key} {}

    /// Opens the transaction and locks the log: from here until the end of the transaction nobody else adds to the log. Throws PqError.
    void begin(PqConnection& connection);
    /// Those of the keys that are stored; inside the transaction.
    std::vector<DedupSet::Stored> stored_already(PqConnection& connection, std::span<const SignalKey> keys, const LeafCalendar& calendar);
    /// Adds the group's rows and returns its first position. Throws PqError.
    engine::Position write(PqConnection& connection, const Group& group, const LeafCalendar& calendar, engine::Timestamp received);
    /// Sends COMMIT.
    CommitFate commit(PqConnection& connection);
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

}  // namespace catenary::server
