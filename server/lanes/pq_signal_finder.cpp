#include "server/lanes/pq_signal_finder.hpp"

#include "api/ingest/attributes.hpp"
#include "engine/lane/deployment.hpp"
#include "engine/lane/stage_index.hpp"
#include "server/ingest/layout.hpp"
#include "server/ingest/pq_values.hpp"
#include "server/lanes/stored_row.hpp"
#include "server/lanes/wanted_definitions.hpp"
#include "server/pg/sql_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

namespace catenary::server {
namespace {

constexpr const char* late_sql = "SELECT key FROM late_signal WHERE tenant = $1 AND key = ANY ($2::uuid[])";

constexpr const char* entities_sql =
    "SELECT e.id FROM unnest($2::text[], $3::text[]) AS w (kind, value) JOIN entity e ON e.tenant = $1 AND e.kind = w.kind AND e.value = w.value";
constexpr const char* kept_sql = "SELECT coalesce(kept_from - DATE '1970-01-01', -2147483648) FROM retention";

constexpr std::size_t most_named_definitions = 100'000;
// Of entities that a hundred times as many signals name as a pattern wants, more than this is not looked through for it.
constexpr std::size_t most_rows_of_rematch = 10 * engine::RematchRequest::most_signals;
constexpr std::size_t keys_a_statement = 2'000;
constexpr std::size_t rows_at_once = 2'000;
constexpr const char* fetch_sql = "FETCH 2000 FROM stored";

std::string uuid_list(std::span<const SignalKey> keys) {
    std::string list;
    for (const auto& key : keys) list += fmt::format("{}{:016x}{:016x}", list.empty() ? "" : ",", key.high, key.low);
    return list;
}

/// Passes on the rows of a statement that selects `stored_columns()`, some thousand at a time, so that a long history is never held as a whole. `take`
/// may ask the connection: the rows come through a cursor.
template <class Take>
void each_rows(PqConnection& connection, const std::string& select, Take&& take) {
    connection.run("BEGIN; DECLARE stored NO SCROLL CURSOR FOR " + select);
    try {
        while (true) {
            const auto result = connection.query(fetch_sql);
            std::vector<StoredRow> decoded;
            for (int row = 0; row < result.rows(); ++row) decoded.push_back(stored_row(result, row));
            if (!decoded.empty()) take(decoded);
            if (decoded.size() < rows_at_once) break;
        }
    } catch (...) {
        if (connection.good()) connection.run("ROLLBACK");
        throw;
    }
    connection.run("COMMIT");
}

/// Ends a reading early.
struct TooMany {};

bool by_reference(const engine::StoredSignal& left, const engine::StoredSignal& right) {
    return std::tie(left.signal.time, left.signal.source, left.signal.id) < std::tie(right.signal.time, right.signal.source, right.signal.id);
}

}  // namespace

PqSignalFinder::PqSignalFinder(PqConnection& connection, std::size_t most_bytes)
    : connection_{connection},
      calendar_{LeafCalendar::load(connection)},
      digester_{load_digest_key(connection)},
      name_source_{connection},
      names_{name_source_, most_bytes} {}

std::map<engine::SignalRef, FoundSignal> PqSignalFinder::find(engine::TenantId tenant, const std::vector<engine::SignalRef>& wanted) {
    std::map<Day, std::vector<SignalKey>> by_leaf;
    for (const auto& ref : wanted) by_leaf[calendar_.leaf_of(day_of(ref.time))].push_back(key_of(tenant, ref));
    std::map<engine::SignalRef, FoundSignal> found;
    for (const auto& [leaf, keys] : by_leaf) {
        for (std::size_t begin = 0; begin < keys.size(); begin += keys_a_statement) {
            const auto some = std::span{keys}.subspan(begin, std::min(keys_a_statement, keys.size() - begin));
            const auto select = fmt::format("SELECT {} FROM signal WHERE time >= {} AND time < {} AND key = ANY ('{{{}}}'::uuid[]) AND tenant = {}",
                                            stored_columns(), sql_time(leaf), sql_time(calendar_.end_of(leaf)), uuid_list(some), tenant.value());
            each_rows(connection_, select, [&](std::vector<StoredRow>& rows) {
                names_.load(rows, StoredNames::Titles::read);
                for (const auto& row : rows) {
                    FoundSignal signal{row.key,     signal_of(row, names_), title_of(row, names_), std::string{row.attributes}, std::string{row.shown},
                                       row.received};
                    engine::SignalRef ref{signal.signal.time, signal.signal.source, signal.signal.id};
                    found.emplace(std::move(ref), std::move(signal));
                }
            });
        }
    }
    for (const auto& ref : wanted) {
        if (!found.contains(ref)) throw std::runtime_error(fmt::format("evidence {}/{} of tenant {} is not stored", ref.source, ref.id, tenant.value()));
    }
    return found;
}

std::vector<engine::StoredSignal> PqSignalFinder::history(const engine::HistoryRequest& request, engine::Position below, const engine::Pattern& pattern) {
    const auto paths = engine::attribute_paths(pattern);
    std::vector<engine::StoredSignal> signals;
    std::vector<SignalKey> keys;
    for (const auto leaf : load_leaves(connection_)) {
        if (start_of(leaf) > request.to || start_of(calendar_.end_of(leaf)) <= request.from) continue;
        const auto select = fmt::format("SELECT {} FROM signal WHERE time >= {} AND time < {} AND tenant = {} AND position < {}", stored_columns(),
                                        sql_time(leaf), sql_time(calendar_.end_of(leaf)), request.tenant.value(), below.value());
        each_rows(connection_, select, [&](std::vector<StoredRow>& rows) {
            names_.load(rows);
            for (const auto& row : rows) {
                if (row.time < request.from || row.time > request.to) continue;
                engine::StoredSignal stored{row.position, row.received, signal_of(row, names_)};
                stored.signal.attributes = api::ingest::attribute_leaves(row.attributes, paths);
                if (engine::satisfied_stages(pattern, engine::BorrowedSignal{stored.signal}.view()) == 0) continue;
                signals.push_back(std::move(stored));
                keys.push_back(row.key);
            }
        });
    }
    mark_late(request.tenant, signals, keys);
    std::sort(signals.begin(), signals.end(), by_reference);
    return signals;
}

/// The condition that signals name one of its entities.
std::string PqSignalFinder::named_by(const engine::RematchRequest& request) {
    if (request.entities.empty()) return {};
    std::vector<std::string_view> kinds, values;
    for (const auto& entity : request.entities) {
        kinds.push_back(entity.kind);
        values.push_back(entity.value);
    }
    const std::vector<PqParameter> parameters{int4_value(request.tenant.value()), text_array(kinds), text_array(values)};
    const auto rows = connection_.query(entities_sql, parameters);
    std::vector<std::int64_t> ids;
    for (int row = 0; row < rows.rows(); ++row) ids.push_back(rows.int8(row, 0));
    return fmt::format(" AND entities && '{{{}}}'::int8[]", fmt::join(ids, ","));
}

/// Leaf by leaf: those of before the horizon are mostly sealed, and have an index of whom their signals name.
engine::RematchAnswer PqSignalFinder::answer(const engine::RematchRequest& request) {
    engine::RematchAnswer answer;
    answer.is_whole = day_of(request.from) >= connection_.query(kept_sql).int4(0, 0);
    const auto named = named_by(request);
    const auto definitions = wanted_definitions(connection_, request.tenant, *request.pattern, most_named_definitions);
    const auto defined = definitions ? fmt::format(" AND def = ANY ('{{{}}}'::int4[])", fmt::join(*definitions, ",")) : std::string{};
    const auto paths = engine::attribute_paths(*request.pattern);
    std::vector<SignalKey> keys;
    std::size_t read = 0;
    try {
        for (const auto leaf : load_leaves(connection_)) {
            if (start_of(leaf) > request.to || start_of(calendar_.end_of(leaf)) <= request.from) continue;
            const auto select = fmt::format(
                "SELECT {} FROM signal WHERE time >= {} AND time < {} AND time >= TIMESTAMPTZ '{}' AND time <= TIMESTAMPTZ '{}' "
                "AND tenant = {} AND position <= {}{}{}",
                stored_columns(), sql_time(leaf), sql_time(calendar_.end_of(leaf)), pg::timestamp_text(request.from), pg::timestamp_text(request.to),
                request.tenant.value(), request.through.value(), named, defined);
            each_rows(connection_, select, [&](std::vector<StoredRow>& rows) {
                read += rows.size();
                if (read > most_rows_of_rematch) throw TooMany{};
                names_.load(rows);
                for (const auto& row : rows) {
                    engine::StoredSignal stored{row.position, row.received, signal_of(row, names_)};
                    stored.signal.attributes = api::ingest::attribute_leaves(row.attributes, paths);
                    if (engine::satisfied_stages(*request.pattern, engine::BorrowedSignal{stored.signal}.view()) == 0) continue;
                    if (answer.signals.size() == engine::RematchRequest::most_signals) throw TooMany{};
                    answer.signals.push_back(std::move(stored));
                    keys.push_back(row.key);
                }
            });
        }
    } catch (const TooMany&) {
        answer.signals.clear();
        answer.too_many = true;
        return answer;
    }
    mark_late(request.tenant, answer.signals, keys);
    std::sort(answer.signals.begin(), answer.signals.end(), by_reference);
    return answer;
}

void PqSignalFinder::mark_late(engine::TenantId tenant, std::vector<engine::StoredSignal>& signals, const std::vector<SignalKey>& keys) {
    for (std::size_t begin = 0; begin < keys.size(); begin += keys_a_statement) {
        const auto some = std::span{keys}.subspan(begin, std::min(keys_a_statement, keys.size() - begin));
        const std::vector<PqParameter> parameters{int4_value(tenant.value()), uuid_array(some)};
        const auto rows = connection_.query(late_sql, parameters);
        std::set<SignalKey> late;
        for (int row = 0; row < rows.rows(); ++row) {
            const auto key = rows.text(row, 0);
            late.insert({read_number<std::uint64_t>(key), read_number<std::uint64_t>(key.substr(8))});
        }
        if (late.empty()) continue;
        for (std::size_t i = 0; i < some.size(); ++i) signals[begin + i].late = late.contains(some[i]);
    }
}

}  // namespace catenary::server
