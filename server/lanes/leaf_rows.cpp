#include "server/lanes/leaf_rows.hpp"

#include "server/ingest/pq_values.hpp"
#include "server/lanes/stored_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace catenary::server {
namespace {

constexpr std::int64_t rows_a_block = 16;  // fewer than usual, so that the first look mostly suffices
constexpr std::int64_t least_blocks = 8;
constexpr std::int64_t most_blocks = 512;  // 4 MB: large against the cost of a statement

/// Blocks to read for `count` rows: about as many as hold them, so that many leaves can be read side by side.
std::int64_t blocks_for(std::int64_t count) { return std::clamp(count / rows_a_block, least_blocks, most_blocks); }

bool earlier(const RawRow& left, const RawRow& right) { return left.position() < right.position(); }

}  // namespace

std::int64_t LeafRows::blocks(Day leaf) { return connection_.run(fmt::format("SELECT pg_relation_size('{}') / 8192", calendar_.table(leaf))).number(0, 0); }

std::vector<RawRow> LeafRows::copy(const std::string& select, std::shared_ptr<const std::string>& memory) {
    connection_.copy_out(fmt::format("COPY ({}) TO STDOUT (FORMAT binary)", select));
    auto bytes = std::make_shared<std::string>();
    memory = bytes;
    std::vector<RawRow> rows;
    bool header = true;
    for (auto row = connection_.copy_row(); !row.empty(); row = connection_.copy_row()) {
        const auto skip = std::exchange(header, false) ? copy_header_bytes : std::size_t{0};
        if (row.bytes().size() < skip + sizeof(std::int64_t)) continue;  // the trailer
        const auto tuple = row.bytes().substr(skip);
        rows.emplace_back(memory, bytes->size(), tuple.size(), position_of(tuple));
        bytes->append(tuple);
    }
    return rows;
}

std::vector<RawRow> LeafRows::read(Day leaf, std::int64_t first_block, std::int64_t end_block, engine::Position from,
                                   std::shared_ptr<const std::string>& memory) {
    auto rows = copy(fmt::format("SELECT {} FROM signal WHERE time >= {} AND time < {} AND ctid >= '({},0)' AND ctid < '({},0)' AND position >= {}",
                                 stored_columns(), sql_time(leaf), sql_time(calendar_.end_of(leaf)), first_block, end_block, from.value()),
                     memory);
    if (!std::is_sorted(rows.begin(), rows.end(), earlier)) std::sort(rows.begin(), rows.end(), earlier);
    return rows;
}

void LeafRows::read_on(Day leaf, Stream& stream, std::int64_t blocks, engine::Position from) {
    const auto end = std::min(stream.next_block + blocks, stream.blocks);
    auto rows = read(leaf, stream.next_block, end, from, stream.newest);
    stream.next_block = end;
    for (const auto& row : rows) held_ += row.tuple().size();
    const auto middle = static_cast<std::ptrdiff_t>(stream.met.size());
    std::move(rows.begin(), rows.end(), std::back_inserter(stream.met));
    std::inplace_merge(stream.met.begin(), stream.met.begin() + middle, stream.met.end(), earlier);
}

std::vector<RawRow> LeafRows::in_order(Day leaf, engine::Position from, engine::Position to, std::int64_t count) {
    auto& stream = streams_[leaf];
    while (true) {
        const auto begin = std::partition_point(stream.met.begin(), stream.met.end(), [&](const RawRow& row) { return row.position() < from; });
        const auto end = std::partition_point(begin, stream.met.end(), [&](const RawRow& row) { return row.position() < to; });
        const bool enough = end - begin >= count;
        if (!enough && stream.next_block >= stream.blocks) stream.blocks = blocks(leaf);
        if (!enough && stream.next_block < stream.blocks && held_ <= most_held_) {
            read_on(leaf, stream, blocks_for(count), from);
            continue;
        }
        std::vector<RawRow> rows{std::make_move_iterator(begin), std::make_move_iterator(end)};
        stream.met.erase(begin, end);
        for (const auto& row : rows) held_ -= row.tuple().size();
        // What waits longer must not keep everything that was read with it.
        for (auto& row : stream.met) {
            if (!row.shares(stream.newest) && row.tuple().size() < row.memory_size()) row = row.apart();
        }
        if (static_cast<std::int64_t>(rows.size()) == count) return rows;
        return all_between(leaf, from, to, count);
    }
}

std::vector<RawRow> LeafRows::at_end(Day leaf, engine::Position from, engine::Position to, std::int64_t count) {
    const auto all = blocks(leaf);
    for (auto look = std::max<std::int64_t>(count / rows_a_block + 16, 32);; look *= 4) {
        const auto first_block = std::max<std::int64_t>(all - look, 0);
        std::shared_ptr<const std::string> memory;
        auto rows = read(leaf, first_block, all + most_blocks, from, memory);
        rows.erase(std::partition_point(rows.begin(), rows.end(), [&](const RawRow& row) { return row.position() < to; }), rows.end());
        if (static_cast<std::int64_t>(rows.size()) == count) return rows;
        if (first_block == 0) return all_between(leaf, from, to, count);
    }
}

std::vector<RawRow> LeafRows::all_between(Day leaf, engine::Position from, engine::Position to, std::int64_t count) {
    std::shared_ptr<const std::string> memory;
    auto rows = copy(fmt::format("SELECT {} FROM signal WHERE time >= {} AND time < {} AND position >= {} AND position < {} ORDER BY position",
                                 stored_columns(), sql_time(leaf), sql_time(calendar_.end_of(leaf)), from.value(), to.value()),
                     memory);
    if (static_cast<std::int64_t>(rows.size()) == count) return rows;
    throw std::runtime_error(fmt::format("the log names {} rows of {} in positions {}..{}, but {} are there", count, calendar_.table(leaf), from.value(),
                                         to.value() - 1, rows.size()));
}

}  // namespace catenary::server
