#pragma once

#include "engine/model/ids.hpp"
#include "server/ingest/leaves.hpp"
#include "server/ingest/pq_connection.hpp"

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace catenary::server {

/// One row of `signal` in binary form, with the COPY header taken off.
class RawRow {
public:
    RawRow(PqRow row, std::size_t skip) : row_{std::move(row)}, skip_{skip} {}
    std::string_view tuple() const { return row_.bytes().substr(skip_); }

private:
    PqRow row_;
    std::size_t skip_ = 0;
};

/// Reads rows of leaves by ranges of blocks: what was inserted together lies together, so that a range of positions costs about its own rows. Nearly
/// together only: PostgreSQL puts a small row into the gap that a larger one left in an older page. The log says how many rows there are in each
/// leaf, so that reading stops exactly when all are found. One thread; throws PqError.
class LeafRows {
public:
    /// `most_held`: bytes of rows that were met before their turn.
    LeafRows(PqConnection& connection, const LeafCalendar& calendar, std::size_t most_held) : connection_{connection}, calendar_{calendar}, most_held_{most_held} {}

    /// The `count` rows of a leaf with positions from <= p < to, in position order, for calls with ever greater positions from the log's begin on: reads each
    /// leaf once, from front to back, and holds what it meets too early. std::runtime_error when the leaf has another number of them.
    std::vector<RawRow> in_order(Day leaf, engine::Position from, engine::Position to, std::int64_t count);

    /// The same without a begin: looks from the end of the leaf backwards until all are found.
    std::vector<RawRow> at_end(Day leaf, engine::Position from, engine::Position to, std::int64_t count);

private:
    using ByPosition = std::map<engine::Position, RawRow>;
    struct Stream {
        std::int64_t next_block = 0;
        std::int64_t blocks = 0;   ///< of the leaf when last asked
        ByPosition met;            ///< not taken yet
    };
    void read(Day leaf, std::int64_t first_block, std::int64_t end_block, engine::Position from, ByPosition& into);
    std::int64_t blocks(Day leaf);
    std::vector<RawRow> all_between(Day leaf, engine::Position from, engine::Position to, std::int64_t count);

    PqConnection& connection_;
    const LeafCalendar& calendar_;
    std::size_t most_held_;
    std::size_t held_ = 0;
    std::map<Day, Stream> streams_;
};

}  // namespace catenary::server
