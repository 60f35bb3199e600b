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

}  // namespace

std::int64_t LeafRows::blocks(Day leaf) {
    return connection_.run(fmt::format("SELECT pg_relation_size('{}') / 8192", calendar_.table(leaf))).number(0, 0);
}

void LeafRows::read(Day leaf, std::int64_t first_block, std::int64_t end_block, engine::Position from, ByPosition& into) {
    connection_.copy_out(fmt::format("COPY (SELECT {} FROM signal WHERE time >= {} AND time < {} AND ctid >= '({},0)' AND ctid < '({},0)' AND position >= {}) "
                                     "TO STDOUT (FORMAT binary)",
                                     stored_columns(), sql_time(leaf), sql_time(calendar_.end_of(leaf)), first_block, end_block, from.value()));
    bool header = true;
    for (auto row = connection_.copy_row(); !row.empty(); row = connection_.copy_row()) {
        const auto skip = std::exchange(header, false) ? copy_header_bytes : std::size_t{0};
        const auto size = row.bytes().size();
        if (size < skip + sizeof(std::int64_t)) continue;  // the trailer
        const auto position = position_of(row.bytes().substr(skip));
        held_ += size - skip;
        into.emplace_hint(into.end(), position, RawRow{std::move(row), skip});
    }
}

std::vector<RawRow> LeafRows::in_order(Day leaf, engine::Position from, engine::Position to, std::int64_t count) {
    auto& stream = streams_[leaf];
    while (true) {
        const auto begin = stream.met.lower_bound(from);
        const auto end = stream.met.lower_bound(to);
        if (std::distance(begin, end) >= count) {
            std::vector<RawRow> rows;
            for (auto it = begin; it != end; ++it) {
                held_ -= it->second.tuple().size();
                rows.push_back(std::move(it->second));
            }
            stream.met.erase(stream.met.begin(), end);
            if (static_cast<std::int64_t>(rows.size()) == count) return rows;
            break;
        }
        if (stream.next_block >= stream.blocks) stream.blocks = blocks(leaf);
        if (stream.next_block >= stream.blocks) break;
        if (held_ > most_held_) break;
        const auto block_end = std::min(stream.next_block + blocks_for(count), stream.blocks);
        read(leaf, stream.next_block, block_end, from, stream.met);
        stream.next_block = block_end;
    }
    const auto end = stream.met.lower_bound(to);
    for (auto it = stream.met.lower_bound(from); it != end; ++it) held_ -= it->second.tuple().size();
    stream.met.erase(stream.met.lower_bound(from), end);
    return all_between(leaf, from, to, count);
}

std::vector<RawRow> LeafRows::at_end(Day leaf, engine::Position from, engine::Position to, std::int64_t count) {
    const auto all = blocks(leaf);
    for (auto look = std::max<std::int64_t>(count / rows_a_block + 16, 32);; look *= 4) {
        const auto first_block = std::max<std::int64_t>(all - look, 0);
        ByPosition met;
        const auto held = held_;
        read(leaf, first_block, all + most_blocks, from, met);
        held_ = held;  // these are not kept
        const auto end = met.lower_bound(to);
        if (std::distance(met.begin(), end) != count && first_block > 0) continue;
        std::vector<RawRow> rows;
        for (auto it = met.begin(); it != end; ++it) rows.push_back(std::move(it->second));
        if (static_cast<std::int64_t>(rows.size()) == count) return rows;
        return all_between(leaf, from, to, count);
    }
}

std::vector<RawRow> LeafRows::all_between(Day leaf, engine::Position from, engine::Position to, std::int64_t count) {
    connection_.copy_out(fmt::format("COPY (SELECT {} FROM signal WHERE time >= {} AND time < {} AND position >= {} AND position < {} ORDER BY position) "
                                     "TO STDOUT (FORMAT binary)",
                                     stored_columns(), sql_time(leaf), sql_time(calendar_.end_of(leaf)), from.value(), to.value()));
    bool header = true;
    std::vector<RawRow> rows;
    for (auto row = connection_.copy_row(); !row.empty(); row = connection_.copy_row()) {
        const auto skip = std::exchange(header, false) ? copy_header_bytes : std::size_t{0};
        if (row.bytes().size() < skip + sizeof(std::int64_t)) continue;
        rows.emplace_back(std::move(row), skip);
    }
    if (static_cast<std::int64_t>(rows.size()) == count) return rows;
    throw std::runtime_error(fmt::format("the log names {} rows of {} in positions {}..{}, but {} are there", count, calendar_.table(leaf), from.value(),
                                         to.value() - 1, rows.size()));
}

}  // namespace catenary::server
