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
    /// The same row in memory of its own.
    RawRow apart() const { return is_apart() ? *this : RawRow{std::make_shared<const std::string>(tuple()), 0, size_, position_}; }
    bool is_apart() const { return bytes_->size() == size_; }

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
    /// `most_memory`: bytes of rows that were met before their turn, and of what was read with them.
    LeafRows(PqConnection& connection, const LeafCalendar& calendar, std::size_t most_memory)
        : connection_{connection}, calendar_{calendar}, most_held_{most_memory / most_kept_for_a_row} {}

    /// The `count` rows of a leaf with positions from <= p < to, in position order, for calls with ever greater positions, between two of which none is left
    /// out: looks from the end of the leaf back to where the first call's positions begin, reads on from there, each block about once, and holds what it meets
    /// too early. std::runtime_error when the leaf has another number of them.
    std::vector<RawRow> next(Day leaf, engine::Position from, engine::Position to, std::int64_t count);

    /// The next call may be about any positions.
    void restart();
    /// All rows of positions before `end` are stored.
    void stored(engine::Position end) { stored_ = end; }

private:
    static constexpr std::size_t most_kept_for_a_row = 4;  ///< bytes of memory for a byte of rows that wait
    enum class Until { past, end };

    struct Stream {
        std::int64_t next_block = 0;  ///< blocks before it were read, or lie before where reading began
        std::int64_t searched = 0;    ///< blocks before it hold nothing of positions before `searched_until` that was not met
        engine::Position searched_until{0};
        std::int64_t blocks = 0;  ///< of the leaf when last asked
        std::vector<RawRow> met;  ///< not taken yet, by position
        std::size_t shared = 0;   ///< bytes of what was read since rows were last set apart
    };
    /// Rows of `COPY (select) TO STDOUT`, as they come.
    std::vector<RawRow> copy(const std::string& select);
    std::vector<RawRow> read(Day leaf, std::int64_t first_block, std::int64_t end_block, engine::Position from);
    std::int64_t blocks(Day leaf);
    /// Where to read on from for positions >= `from`.
    Stream begin(Day leaf, engine::Position from);
    /// Until all are found, or what is read lies past them, or the leaf ends.
    void read_on(Day leaf, Stream& stream, engine::Position from, engine::Position to, std::int64_t count, Until until);
    /// For rows that lie in gaps of pages before `next_block`, in the nearest of them or in all.
    void look_back(Day leaf, Stream& stream, engine::Position from, engine::Position to, std::int64_t count, bool in_all);
    /// Whether `all_between` need not read the whole leaf.
    bool finds_positions(Day leaf);
    void add(Stream& stream, std::vector<RawRow> rows);
    std::vector<RawRow> take(Stream& stream, engine::Position from, engine::Position to);
    std::vector<RawRow> all_between(Day leaf, engine::Position from, engine::Position to, std::int64_t count);

    PqConnection& connection_;
    const LeafCalendar& calendar_;
    std::size_t most_held_;
    engine::Position stored_{0};
    std::size_t held_ = 0;  ///< bytes of rows in streams
    std::map<Day, Stream> streams_;
};

}  // namespace catenary::server
