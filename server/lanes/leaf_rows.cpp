#include "server/lanes/leaf_rows.hpp"

#include "server/ingest/pq_values.hpp"
#include "server/lanes/stored_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace catenary::server {
namespace {

constexpr std::int64_t rows_a_block = 16;  // fewer than usual, so that the first look mostly suffices
constexpr std::int64_t least_blocks = 8;
constexpr std::int64_t most_blocks = 512;     // 4 MB: large against the cost of a statement
constexpr std::int64_t first_look_back = 64;  // most rows that lie in an older page lie in one of the last few

/// Blocks to read for `count` rows: about as many as hold them, so that many leaves can be read side by side.
std::int64_t blocks_for(std::int64_t count) { return std::clamp(count / rows_a_block, least_blocks, most_blocks); }

bool earlier(const RawRow& left, const RawRow& right) { return left.position() < right.position(); }
bool same(const RawRow& left, const RawRow& right) { return left.position() == right.position(); }

std::pair<std::vector<RawRow>::iterator, std::vector<RawRow>::iterator> between(std::vector<RawRow>& rows, engine::Position from, engine::Position to) {
    const auto begin = std::partition_point(rows.begin(), rows.end(), [&](const RawRow& row) { return row.position() < from; });
    return {begin, std::partition_point(begin, rows.end(), [&](const RawRow& row) { return row.position() < to; })};
}

std::size_t bytes_of(const std::vector<RawRow>& rows) {
    return std::accumulate(rows.begin(), rows.end(), std::size_t{0}, [](std::size_t sum, const RawRow& row) { return sum + row.tuple().size(); });
}

bool has(std::vector<RawRow>& rows, engine::Position from, engine::Position to, std::int64_t count) {
    const auto [begin, end] = between(rows, from, to);
    return end - begin >= count;
}

}  // namespace

std::int64_t LeafRows::blocks(Day leaf) { return connection_.run(fmt::format("SELECT pg_relation_size('{}') / 8192", calendar_.table(leaf))).number(0, 0); }

std::vector<RawRow> LeafRows::copy(const std::string& select) {
    connection_.copy_out(fmt::format("COPY ({}) TO STDOUT (FORMAT binary)", select));
    auto bytes = std::make_shared<std::string>();
    std::vector<RawRow> rows;
    bool header = true;
    for (auto row = connection_.copy_row(); !row.empty(); row = connection_.copy_row()) {
        const auto skip = std::exchange(header, false) ? copy_header_bytes : std::size_t{0};
        if (row.bytes().size() < skip + sizeof(std::int64_t)) continue;  // the trailer
        const auto tuple = row.bytes().substr(skip);
        rows.emplace_back(bytes, bytes->size(), tuple.size(), position_of(tuple));
        bytes->append(tuple);
    }
    return rows;
}

std::vector<RawRow> LeafRows::read(Day leaf, std::int64_t first_block, std::int64_t end_block, engine::Position from) {
    auto rows = copy(fmt::format("SELECT {} FROM signal WHERE time >= {} AND time < {} AND ctid >= '({},0)' AND ctid < '({},0)' AND position >= {}",
                                 stored_columns(), sql_time(leaf), sql_time(calendar_.end_of(leaf)), first_block, end_block, from.value()));
    if (!std::is_sorted(rows.begin(), rows.end(), earlier)) std::sort(rows.begin(), rows.end(), earlier);
    return rows;
}

void LeafRows::restart() {
    streams_.clear();
    held_ = 0;
}

/// Twice as far from the end of the leaf each time, until a block has a row from before, then nearer by halves.
LeafRows::Stream LeafRows::begin(Day leaf, engine::Position from) {
    Stream stream;
    stream.blocks = blocks(leaf);
    const auto has_earlier = [&](std::int64_t block) {
        const auto least = connection_.run(
            fmt::format("SELECT coalesce(min(position), {0}) FROM signal WHERE time >= {1} AND time < {2} AND ctid >= '({3},0)' AND ctid < '({4},0)'",
                        from.value(), sql_time(leaf), sql_time(calendar_.end_of(leaf)), block, block + 1));
        return least.number(0, 0) < from.value();
    };
    std::int64_t near = 0;  // blocks from the end
    auto far = 2 * least_blocks;
    for (; far < stream.blocks && !has_earlier(stream.blocks - far); far *= 2) near = far;
    if (far >= stream.blocks) far = stream.blocks;
    while (far - near > first_look_back) {
        const auto middle = near + (far - near) / 2;
        (has_earlier(stream.blocks - middle) ? far : near) = middle;
    }
    stream.next_block = stream.blocks - far;
    return stream;
}

void LeafRows::read_on(Day leaf, Stream& stream, engine::Position from, engine::Position to, std::int64_t count, Until until) {
    bool was_at_end = false;
    auto some = blocks_for(count);
    while (!has(stream.met, from, to, count) && held_ <= most_held_) {
        if (stream.next_block >= stream.blocks) {
            if (std::exchange(was_at_end, true)) return;
            stream.next_block = std::max<std::int64_t>(stream.blocks - least_blocks, 0);  // the last pages may have got further rows
            stream.blocks = blocks(leaf);
        }
        const auto end = std::min(stream.next_block + some, stream.blocks);
        auto rows = read(leaf, std::exchange(stream.next_block, end), end, from);
        some = rows.empty() ? std::min(2 * some, most_blocks) : blocks_for(count);
        const bool is_past = until == Until::past && !rows.empty() && rows.front().position() >= to;
        add(stream, std::move(rows));
        if (is_past) return;
    }
}

void LeafRows::look_back(Day leaf, Stream& stream, engine::Position from, engine::Position to, std::int64_t count, bool in_all) {
    auto some = first_look_back;
    const auto searched = to <= stream.searched_until ? stream.searched : std::int64_t{0};
    const auto first = in_all ? searched : std::max(searched, stream.next_block - first_look_back);
    auto end = stream.next_block;
    for (; end > first && !has(stream.met, from, to, count) && held_ <= most_held_; some = most_blocks) {
        const auto begin = std::max(end - some, first);
        add(stream, read(leaf, begin, end, from));
        end = begin;
    }
    if (end > searched) return;
    stream.searched = stream.next_block;
    if (searched == 0) stream.searched_until = stored_;
}

bool LeafRows::finds_positions(Day leaf) {
    return connection_
               .run(fmt::format("SELECT count(*) FROM pg_indexes WHERE tablename = '{}' AND indexdef LIKE '%USING brin (\"position\"%'", calendar_.table(leaf)))
               .number(0, 0) > 0;
}

void LeafRows::add(Stream& stream, std::vector<RawRow> rows) {
    held_ -= bytes_of(stream.met);
    stream.shared += bytes_of(rows);
    const auto middle = static_cast<std::ptrdiff_t>(stream.met.size());
    std::move(rows.begin(), rows.end(), std::back_inserter(stream.met));
    std::inplace_merge(stream.met.begin(), stream.met.begin() + middle, stream.met.end(), earlier);
    stream.met.erase(std::unique(stream.met.begin(), stream.met.end(), same), stream.met.end());
    held_ += bytes_of(stream.met);
}

std::vector<RawRow> LeafRows::take(Stream& stream, engine::Position from, engine::Position to) {
    const auto [begin, end] = between(stream.met, from, to);
    std::vector<RawRow> rows{std::make_move_iterator(begin), std::make_move_iterator(end)};
    stream.met.erase(begin, end);
    held_ -= bytes_of(rows);
    // What waits longer must not keep everything that was read with it.
    if (bytes_of(stream.met) * most_kept_for_a_row < stream.shared) {
        for (auto& row : stream.met) row = row.apart();
        stream.shared = 0;
    }
    return rows;
}

std::vector<RawRow> LeafRows::next(Day leaf, engine::Position from, engine::Position to, std::int64_t count) {
    auto found = streams_.find(leaf);
    if (found == streams_.end()) found = streams_.emplace(leaf, begin(leaf, from)).first;
    auto& stream = found->second;
    read_on(leaf, stream, from, to, count, Until::past);
    look_back(leaf, stream, from, to, count, false);
    if (!has(stream.met, from, to, count) && !finds_positions(leaf)) {
        look_back(leaf, stream, from, to, count, true);
        read_on(leaf, stream, from, to, count, Until::end);
    }
    auto rows = take(stream, from, to);
    return static_cast<std::int64_t>(rows.size()) == count ? rows : all_between(leaf, from, to, count);
}

std::vector<RawRow> LeafRows::all_between(Day leaf, engine::Position from, engine::Position to, std::int64_t count) {
    auto rows = copy(fmt::format("SELECT {} FROM signal WHERE time >= {} AND time < {} AND position >= {} AND position < {} ORDER BY position",
                                 stored_columns(), sql_time(leaf), sql_time(calendar_.end_of(leaf)), from.value(), to.value()));
    if (static_cast<std::int64_t>(rows.size()) == count) return rows;
    throw std::runtime_error(fmt::format("the log names {} rows of {} in positions {}..{}, but {} are there", count, calendar_.table(leaf), from.value(),
                                         to.value() - 1, rows.size()));
}

}  // namespace catenary::server
