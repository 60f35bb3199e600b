#pragma once

#include "engine/model/ids.hpp"
#include "server/ingest/leaves.hpp"
#include "server/ingest/pq_connection.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server {

/// One row of `signal` in binary form. Rows that were read together share their memory.
class RawRow {
public:
    RawRow(std::shared_ptr<const std::string> bytes, std::size_t offset, std::size_t size, engine::Position position)
        : bytes_{std::move(bytes)}, offset_{offset}, size_{size}, position_{position} {}
    std::string_view tuple() const { return std::string_view{*bytes_}.substr(offset_, size_); }
    engine::Position position() const { return position_; }
    std::size_t memory_size() const { return bytes_->size(); }
    bool shares(const std::shared_ptr<const std::string>& bytes) const { return bytes_ == bytes; }
    /// The same row in memory of its own.
    RawRow apart() const { return {std::make_shared<const std::string>(tuple()), 0, size_, position_}; }

private:
    std::shared_ptr<const std::string> bytes_;
    std::size_t offset_;
    std::size_t size_;
    engine::Position position_;
};

/// Reads rows of leaves by ranges of blocks: what was inserted together lies together, so that a range of positions costs about its own rows. Nearly
/// together only: PostgreSQL puts a small row into the gap that a larger one left in an older page. The log says how many rows there are in each
/// leaf, so that reading stops exactly when all are found. One thread; throws PqError.
class LeafRows {
public:
    /// `most_held`: bytes of rows that were met before their turn.
    LeafRows(PqConnection& connection, const LeafCalendar& calendar, std::size_t most_held)
        : connection_{connection}, calendar_{calendar}, most_held_{most_held} {}

    /// The `count` rows of a leaf with positions from <= p < to, in position order, for calls with ever greater positions from the log's begin on: reads each
    /// leaf once, from front to back, and holds what it meets too early. std::runtime_error when the leaf has another number of them.
    std::vector<RawRow> in_order(Day leaf, engine::Position from, engine::Position to, std::int64_t count);

    /// The same without a begin: looks from the end of the leaf backwards until all are found.
    std::vector<RawRow> at_end(Day leaf, engine::Position from, engine::Position to, std::int64_t count);

private:
    struct Stream {
        std::int64_t next_block = 0;
        std::int64_t blocks = 0;                    ///< of the leaf when last asked
        std::vector<RawRow> met;                    ///< not taken yet, by position
        std::shared_ptr<const std::string> newest;  ///< memory of what was read last
    };
    /// Rows of `COPY (select) TO STDOUT`, as they come, and their memory.
    std::vector<RawRow> copy(const std::string& select, std::shared_ptr<const std::string>& memory);
    std::vector<RawRow> read(Day leaf, std::int64_t first_block, std::int64_t end_block, engine::Position from, std::shared_ptr<const std::string>& memory);
    void read_on(Day leaf, Stream& stream, std::int64_t blocks, engine::Position from);
    std::int64_t blocks(Day leaf);
    std::vector<RawRow> all_between(Day leaf, engine::Position from, engine::Position to, std::int64_t count);

    PqConnection& connection_;
    const LeafCalendar& calendar_;
    std::size_t most_held_;
    std::size_t held_ = 0;  ///< bytes of rows in streams
    std::map<Day, Stream> streams_;
};

}  // namespace catenary::server
