#include "server/lanes/pq_signal_finder.hpp"

#include "api/ingest/attributes.hpp"
#include "server/ingest/layout.hpp"
#include "server/ingest/pq_values.hpp"
#include "server/lanes/stored_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>
#include <utility>

namespace catenary::server {
namespace {

constexpr const char* late_sql = "SELECT key FROM late_signal WHERE tenant = $1 AND key = ANY ($2::uuid[])";

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

}  // namespace

std::set<std::string> attribute_paths_of(const engine::Pattern& pattern) {
    std::set<std::string> paths;
    for (const auto& stage : pattern.stages) {
        paths.merge(stage.match.attribute_paths());
        if (stage.repeat && stage.repeat->distinct && stage.repeat->distinct->kind == engine::Field::Kind::attribute)
            paths.insert(stage.repeat->distinct->path);
    }
    return paths;
}

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
    const auto paths = attribute_paths_of(pattern);
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
                const engine::BorrowedSignal borrowed{stored.signal};
                const bool is_wanted =
                    std::any_of(pattern.stages.begin(), pattern.stages.end(), [&](const engine::Stage& stage) { return stage.match.matches(borrowed.view()); });
                if (!is_wanted) continue;
                signals.push_back(std::move(stored));
                keys.push_back(row.key);
            }
        });
    }
    mark_late(request.tenant, signals, keys);
    std::sort(signals.begin(), signals.end(), [](const engine::StoredSignal& left, const engine::StoredSignal& right) {
        return std::tie(left.signal.time, left.signal.source, left.signal.id) < std::tie(right.signal.time, right.signal.source, right.signal.id);
    });
    return signals;
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
