#include "server/pg/signal_store.hpp"

#include "server/ingest/signal_row.hpp"
#include "server/pg/leaf_range.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

namespace catenary::server::pg {
namespace {

using api::ports::Page;
using api::ports::SignalFilter;
using api::ports::StoredSignalRow;

constexpr const char* leaves_sql = R"(
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'signal'::regclass AND pg_relation_size(c.oid) > 0 ORDER BY c.relname)";
constexpr const char* definitions_sql = R"(
    SELECT id FROM def
    WHERE ($1::text[] IS NULL OR source = ANY($1)) AND ($2::text[] IS NULL OR name = ANY($2)) AND ($3::text[] IS NULL OR domain = ANY($3)))";
constexpr const char* entity_ids_sql =
    "SELECT e.id FROM unnest($1::text[], $2::text[]) AS w (kind, value) JOIN entity e ON e.kind = w.kind AND e.value = w.value";
constexpr const char* entities_sql = "SELECT id, kind, value, identifies FROM entity WHERE id = ANY($1::int8[])";

// The inner query walks the unique index on `key` in order and stops at its limit; the outer one dresses the few rows that are left.
constexpr std::string_view rows_sql = R"(
    SELECT s.key, s.time, s.received, s.severity, s.confidence, s.count, s.entities, s.roles, s.source_id, coalesce(s.attributes, '{{}}'),
           coalesce(s.shown, ''), d.domain, d.source, d.name, d.tactics, d.techniques, coalesce(t.title, ''), l.key IS NOT NULL
    FROM (SELECT * FROM signal
          WHERE time >= $1 AND time < $2 AND key > $3::uuid AND key < $4::uuid AND ($5::int4[] IS NULL OR def = ANY($5))
            AND ($6::int8[] IS NULL OR entities && $6)
          ORDER BY key {0} LIMIT $7) s
    JOIN def d ON d.id = s.def
    LEFT JOIN title t ON t.id = s.title
    LEFT JOIN late_signal l ON l.tenant = s.tenant AND l.key = s.key
    ORDER BY s.key {0})";

/// What the filter means in ids; `impossible`: nothing can satisfy it.
struct ResolvedFilter {
    std::optional<std::string> definitions;
    std::optional<std::string> entities;
    bool impossible = false;
};

std::vector<std::int64_t> ids_of(const pqxx::result& rows) {
    std::vector<std::int64_t> ids;
    for (const auto& row : rows) ids.push_back(row[0].as<std::int64_t>());
    return ids;
}

ResolvedFilter resolve(pqxx::work& transaction, const SignalFilter& filter) {
    ResolvedFilter resolved;
    if (!filter.sources.empty() || !filter.names.empty() || !filter.domains.empty()) {
        const auto ids = ids_of(transaction.exec_params(definitions_sql, filter_literal(filter.sources), filter_literal(filter.names),
                                                        filter_literal(filter.domains)));
        if (ids.empty()) resolved.impossible = true;
        resolved.definitions = array_literal(ids);
    }
    if (!filter.entities.empty()) {
        std::vector<std::string> kinds, values;
        for (const auto& entity : filter.entities) {
            kinds.push_back(entity.kind);
            values.push_back(entity.value);
        }
        const auto ids = ids_of(transaction.exec_params(entity_ids_sql, array_literal(kinds), array_literal(values)));
        if (ids.empty()) resolved.impossible = true;
        resolved.entities = array_literal(ids);
    }
    return resolved;
}

/// A key's first 48 bits are the time in milliseconds: the lowest key of that millisecond.
std::string lowest_key(engine::Timestamp time) {
    const auto millis = std::max<std::int64_t>(std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count(), 0);
    return fmt::format("{:08x}-{:04x}-0000-0000-000000000000", millis >> 16, millis & 0xFFFF);
}

/// The millisecond of a key; empty when the text is no key.
std::optional<engine::Timestamp> time_of_key(const std::string& key) {
    if (key.size() != 36) return std::nullopt;
    std::int64_t millis = 0;
    for (const std::size_t i : {0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12}) {
        const char c = key[i];
        const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) return std::nullopt;
        millis = millis * 16 + digit;
    }
    return engine::Timestamp{std::chrono::milliseconds{millis}};
}

/// The leaves a page may have rows in, in the order of the list, clipped to what the filter and the place of the page leave.
std::vector<LeafRange> leaves_to_read(pqxx::work& transaction, const SignalFilter& filter, const std::string& after) {
    constexpr std::chrono::milliseconds key_unit{1};  // the place may lie anywhere in its millisecond
    auto from = filter.time.first;
    auto to = filter.time.second;
    if (const auto place = time_of_key(after)) {
        if (filter.newest_first) to = to ? std::min<engine::Timestamp>(*to, *place + key_unit) : *place + key_unit;
        if (!filter.newest_first) from = from ? std::max(*from, *place) : *place;
    }
    std::vector<LeafRange> leaves;
    for (const auto& row : transaction.exec(leaves_sql)) {
        auto range = leaf_range(row[0].c_str());
        if (!range) continue;
        if (from) range->from = std::max(range->from, *from);
        if (to) range->to = std::min(range->to, *to);
        if (range->from < range->to) leaves.push_back(*range);
    }
    std::ranges::sort(leaves, {}, &LeafRange::from);
    if (filter.newest_first) std::ranges::reverse(leaves);
    return leaves;
}

struct KeyedRow {
    std::string key;
    StoredSignalRow row;
    std::vector<std::int64_t> entities;
    std::vector<std::byte> roles;
    std::string shown;
};

KeyedRow read_row(const pqxx::row& row) {
    KeyedRow read;
    read.key = row[0].c_str();
    auto& signal = read.row.signal;
    signal.time = timestamp_from(row[1]);
    read.row.received = timestamp_from(row[2]);
    signal.severity = static_cast<engine::Severity>(row[3].as<int>());
    signal.confidence = double_from(row[4]);
    signal.count = row[5].as<std::int64_t>();
    read.entities = integer_array(row[6]);
    const pqxx::binarystring roles{row[7]};
    const auto bytes = std::as_bytes(std::span{roles.data(), roles.size()});
    read.roles.assign(bytes.begin(), bytes.end());
    signal.id = row[8].c_str();
    read.row.attributes_json = row[9].c_str();
    read.shown = row[10].c_str();
    signal.domain = row[11].c_str();
    signal.source = row[12].c_str();
    signal.name = row[13].c_str();
    signal.tactics = text_array(row[14]);
    signal.techniques = text_array(row[15]);
    read.row.title = row[16].c_str();
    read.row.late = row[17].as<bool>();
    return read;
}

std::vector<KeyedRow> read_rows(pqxx::work& transaction, const SignalFilter& filter, const ResolvedFilter& resolved, const std::string& after,
                                std::size_t wanted) {
    const auto sql = fmt::format(rows_sql, filter.newest_first ? "DESC" : "ASC");
    const auto leaves = leaves_to_read(transaction, filter, after);
    transaction.exec(SignalStore::walk_the_index);
    std::vector<KeyedRow> rows;
    // A window of leaves that doubles: one leaf usually fills the page, and a rare filter does not need a query for each of hundreds.
    for (std::size_t at = 0, width = 1; at < leaves.size() && rows.size() < wanted; at += width, width *= 2) {
        const auto window = std::span{leaves}.subspan(at, std::min(width, leaves.size() - at));
        const auto from = filter.newest_first ? window.back().from : window.front().from;
        const auto to = filter.newest_first ? window.front().to : window.back().to;
        auto above = lowest_key(from - std::chrono::milliseconds{1});  // strictly below any key of `from`
        auto below = lowest_key(to + std::chrono::milliseconds{1});
        if (!after.empty()) (filter.newest_first ? below : above) = filter.newest_first ? std::min(below, after) : std::max(above, after);
        for (const auto& row : transaction.exec_params(sql, timestamp_text(from), timestamp_text(to), above, below, resolved.definitions,
                                                       resolved.entities, static_cast<std::int64_t>(wanted - rows.size()))) {
            rows.push_back(read_row(row));
        }
    }
    return rows;
}

/// Fills in entities and what is shown instead of them.
void dress(pqxx::work& transaction, std::vector<KeyedRow>& rows) {
    std::vector<std::int64_t> ids;
    for (const auto& row : rows) ids.insert(ids.end(), row.entities.begin(), row.entities.end());
    std::ranges::sort(ids);
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    std::map<std::int64_t, engine::EntityMention> known;
    if (!ids.empty()) {
        for (const auto& row : transaction.exec_params(entities_sql, array_literal(ids))) {
            known[row[0].as<std::int64_t>()] = {row[1].c_str(), row[2].c_str(), "", row[3].as<bool>()};
        }
    }
    for (auto& row : rows) {
        const auto shown = shown_from(row.shown);
        for (std::size_t i = 0; i < row.entities.size(); ++i) {
            auto mention = known[row.entities[i]];
            mention.role = role_of(row.roles, i, shown);
            row.row.signal.entities.push_back(std::move(mention));
        }
        row.row.shown_json = shown.values_json;
        if (!shown.title.empty()) row.row.title = shown.title;
    }
}

StoreResult<Page<StoredSignalRow>> read_page(pqxx::work& transaction, const SignalFilter& filter, const api::ports::PageRequest& request) {
    if (!request.after.empty() && !time_of_key(request.after)) return StoreError{StoreErrorCode::invalid, "the cursor does not belong to this list"};
    const auto resolved = resolve(transaction, filter);
    Page<StoredSignalRow> page;
    if (resolved.impossible) return page;
    auto rows = read_rows(transaction, filter, resolved, request.after, request.limit + 1);
    if (rows.size() > request.limit) {
        rows.resize(request.limit);
        page.next = rows.back().key;
    }
    dress(transaction, rows);
    std::ranges::sort(rows, [&](const KeyedRow& left, const KeyedRow& right) {
        const auto a = std::tie(left.row.signal.time, left.key), b = std::tie(right.row.signal.time, right.key);
        return filter.newest_first ? b < a : a < b;
    });
    for (auto& row : rows) page.items.push_back(std::move(row.row));
    return page;
}

}  // namespace

api::ports::Outcome<Page<StoredSignalRow>> SignalStore::page(const api::Caller& caller, const SignalFilter& filter, const api::ports::PageRequest& request) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](pqxx::work& transaction) { return read_page(transaction, filter, request); }),
                      "list_signals");
}

}  // namespace catenary::server::pg
