#include "server/ingest/group_writer.hpp"

#include "server/ingest/pq_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace catenary::server {
namespace {

// Zero positions: only the lock. How many there will be is known once repeats are out.
constexpr const char* begin_sql = "BEGIN; UPDATE log SET next_position = next_position";
constexpr const char* stored_sql = "SELECT key, content FROM signal WHERE time >= $1 AND time < $2 AND key = ANY ($3::uuid[])";

// libpq copies what it is given into its own buffer, so that larger pieces only cost cache.
constexpr std::size_t piece = 128U << 10U;

/// Row numbers by leaf, in order.
std::map<Day, std::vector<std::uint32_t>> by_leaf(const Group& group) {
    std::map<Day, std::vector<std::uint32_t>> leaves;
    for (std::uint32_t row = 0; row < group.rows.size(); ++row) leaves[group.rows[row].leaf].push_back(row);
    return leaves;
}

}  // namespace

void GroupWriter::begin(PqConnection& connection) { connection.run(begin_sql); }

std::vector<DedupSet::Stored> GroupWriter::stored_already(PqConnection& connection, std::span<const SignalKey> keys, const LeafCalendar& calendar) {
    std::map<Day, std::vector<SignalKey>> leaves;
    for (const auto& key : keys) leaves[calendar.leaf_of(key.day())].push_back(key);
    std::vector<DedupSet::Stored> stored;
    for (const auto& [leaf, some] : leaves) {
        const std::vector<PqParameter> parameters{timestamp_value(start_of(leaf)), timestamp_value(start_of(calendar.end_of(leaf))), uuid_array(some)};
        const auto found = connection.query(stored_sql, parameters);
        for (int row = 0; row < found.rows(); ++row) {
            const auto key = found.text(row, 0);
            stored.push_back({{read_number<std::uint64_t>(key), read_number<std::uint64_t>(key.substr(8))}, found.int8(row, 1)});
        }
    }
    return stored;
}

engine::Position GroupWriter::write(PqConnection& connection, const Group& group, const LeafCalendar& calendar, engine::Timestamp received) {
    const auto next = connection.run(fmt::format("UPDATE log SET next_position = next_position + {0} RETURNING next_position - {0}", group.rows.size()));
    const engine::Position first{next.number(0, 0)};
    const auto ids = dictionaries_.intern(connection, group);
    copy(connection, group, ids, calendar, first, received);
    add_batches(connection, group, first);
    return first;
}

void GroupWriter::copy(PqConnection& connection, const Group& group, const RowIds& ids, const LeafCalendar& calendar, engine::Position first,
                       engine::Timestamp received) {
    std::vector<std::uint32_t> entity_places(group.rows.size());  // where each row's entities begin in ids.entities
    std::uint32_t place = 0;
    for (std::size_t row = 0; row < group.rows.size(); ++row) {
        entity_places[row] = place;
        place += static_cast<std::uint32_t>(group.signal(group.rows[row]).entities.size());
    }
    for (const auto& [leaf, rows] : by_leaf(group)) {
        const auto statement = fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", calendar.table(leaf), copy_columns());
        const auto step = copy_statement_rows(rows.size());
        for (std::size_t begin = 0; begin < rows.size(); begin += step) {
            connection.copy_in(statement);
            encoder_.clear();
            encoder_.begin();
            const auto end = std::min(begin + step, rows.size());
            for (std::size_t i = begin; i < end; ++i) {
                const auto row = rows[i];
                const auto& planned = group.rows[row];
                encoder_.row(group.signal(planned), group.digests(planned), group.requests[planned.request].waiting->tenant,
                             engine::Position{first.value() + row}, received, ids.definitions[row], ids.titles[row], ids.entities.data() + entity_places[row]);
                if (encoder_.bytes().size() < piece) continue;
                connection.copy_send(encoder_.bytes());
                encoder_.clear();
            }
            encoder_.end();
            connection.copy_send(encoder_.bytes());
            connection.copy_end();
        }
    }
}

void GroupWriter::add_batches(PqConnection& connection, const Group& group, engine::Position first) {
    std::string values;
    for (std::size_t request = 0; request < group.requests.size();) {
        const auto lane = group.requests[request].lane;
        const auto begin = group.requests[request].first_row;
        auto end = begin;
        for (; request < group.requests.size() && group.requests[request].lane == lane; ++request) end += group.requests[request].row_count;
        if (begin == end) continue;
        std::map<Day, std::int32_t> leaves;
        for (auto row = begin; row < end; ++row) ++leaves[group.rows[row].leaf];
        std::string days, counts;
        for (const auto& [day, count] : leaves) {
            days += fmt::format("{}{}", days.empty() ? "" : ",", day);
            counts += fmt::format("{}{}", counts.empty() ? "" : ",", count);
        }
        values += fmt::format("{}({}, {}, {}, '{{{}}}', '{{{}}}', false)", values.empty() ? "" : ", ", lane, first.value() + begin, first.value() + end - 1,
                              days, counts);
    }
    connection.run("INSERT INTO batch (lane, first, last, leaf_days, leaf_rows, control) VALUES " + values);
}

CommitFate GroupWriter::commit(PqConnection& connection) {
    try {
        // An aborted transaction answers COMMIT with ROLLBACK and no error.
        if (connection.run("COMMIT").tag() != "COMMIT") {
            failure_ = PqError{"the transaction was aborted", "", false};
            dictionaries_.forget();
            return CommitFate::failed;
        }
    } catch (const PqError& error) {
        failure_ = error;
        dictionaries_.forget();
        return error.broken() ? CommitFate::unknown : CommitFate::failed;
    }
    dictionaries_.keep();
    return CommitFate::committed;
}

void GroupWriter::roll_back(PqConnection& connection) noexcept {
    dictionaries_.forget();
    try {
        if (connection.good()) connection.run("ROLLBACK");
    } catch (const PqError&) {
        // The connection is gone, and the transaction with it.
    }
}

}  // namespace catenary::server
