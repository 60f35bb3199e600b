#include "server/pg/diagnostics_store.hpp"

#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_lane.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <algorithm>
#include <cstdint>
#include <map>

namespace catenary::server::pg {
namespace {

using api::ports::DiagnosticsReport;

constexpr const char* status_sql = R"(
    SELECT watermark, held, newest, extract(epoch FROM lateness)::float8, late, unlinkable, behind_horizon, window_signals, state_bytes, capped_groups,
           oldest_behind_horizon, near_misses_dropped, rematches, rematch_signals, rematches_cut, rematches_given_up, rematch_backlog, oldest_rematch_waiting,
           evicted_signals, turned_away_signals, aggregated_findings, incidents_cut_short
    FROM tenant_status)";
constexpr const char* retention_sql = "SELECT refused_before::timestamp AT TIME ZONE 'UTC', kept_from::timestamp AT TIME ZONE 'UTC' FROM retention";
constexpr const char* denied_sql = "SELECT kind, value, changed FROM entity_note WHERE link = 'deny' ORDER BY changed DESC LIMIT 100";
constexpr const char* done_sql = "SELECT done FROM lane WHERE id = $1";
// Every lane's batches behind this lane's position: leaves hold the rows of all of them, in commit order.
constexpr const char* leaves_sql = R"(
    SELECT day, sum(rows)::int8, bool_or(b.lane = $1), min(b.committed) FILTER (WHERE b.lane = $1)
    FROM batch b CROSS JOIN LATERAL unnest(b.leaf_days, b.leaf_rows) AS leaf (day, rows)
    WHERE b.lane IN (SELECT id FROM lane) AND b.first > $2
    GROUP BY day)";
constexpr const char* control_sql = "SELECT count(*), min(admitted) FROM control WHERE position > $1";
// Rows lie in a leaf in the order of their commits, so what is behind lies at its end. A page holds at least four rows, since PostgreSQL moves
// what makes a row larger than a quarter page elsewhere; the 64 are for pages cut short by commits that failed.
constexpr const char* tail_begin_sql =
    "SELECT '(' || greatest(0, pg_relation_size(leaf_name($1::date)::regclass) / current_setting('block_size')::int8 - $2::int8 / 4 - 64) || ',0)'";
constexpr const char* tail_sql = "SELECT count(*), min(received) FROM signal WHERE position > $1 AND time >= $2 AND time < $3 AND ctid >= $4::tid";
constexpr const char* leaf_end_sql = R"(
    SELECT DATE '1970-01-01' + $1::int4,
           CASE WHEN DATE '1970-01-01' + $1::int4 >= (SELECT daily_from FROM layout) THEN DATE '1970-01-01' + $1::int4 + 1
                ELSE (DATE '1970-01-01' + $1::int4 + interval '1 year')::date END)";
constexpr const char* now_sql = "SELECT extract(epoch FROM clock_timestamp() - $1::timestamptz)::float8";

struct Lag {
    std::int64_t entries = 0;
    std::optional<std::string> oldest;  ///< when the oldest of them was committed or admitted
    void add(const pqxx::row& row) {
        entries += row[0].as<std::int64_t>();
        if (row[1].is_null()) return;
        std::string since = row[1].c_str();
        if (!oldest || timestamp_from(since) < timestamp_from(*oldest)) oldest = std::move(since);
    }
};

/// Entries of the caller's tenant behind the lane's position.
Lag lag_of(TenantTransaction& transaction, const api::Caller& caller) {
    const auto lane = lane_of(transaction, caller);
    const auto done = transaction.exec_params1(done_sql, lane)[0].as<std::int64_t>();
    Lag lag;
    lag.add(transaction.exec_params1(control_sql, done));
    for (const auto& leaf : transaction.exec_params(leaves_sql, lane, done)) {
        if (!leaf[2].as<bool>()) continue;  // nothing of our lane in it
        const auto days = transaction.exec_params1(leaf_end_sql, leaf[0].as<std::int32_t>());
        const std::string from = days[0].c_str(), to = days[1].c_str();
        const std::string begin = transaction.exec_params1(tail_begin_sql, from, leaf[1].as<std::int64_t>())[0].c_str();
        lag.add(transaction.exec_params1(tail_sql, done, from, to, begin));
    }
    return lag;
}

DiagnosticsReport read_report(TenantTransaction& transaction, const api::Caller& caller) {
    DiagnosticsReport report;
    for (const auto& row : transaction.exec(status_sql)) {  // at most one: row-level security
        report.watermark = optional_timestamp(row[0]);
        report.held = row[1].as<bool>();
        report.newest_event = optional_timestamp(row[2]);
        report.lateness_seconds = double_from(row[3]);
        report.late = row[4].as<std::int64_t>();
        report.unlinkable = row[5].as<std::int64_t>();
        report.behind_horizon = row[6].as<std::int64_t>();
        report.window_signals = row[7].as<std::int64_t>();
        report.state_bytes = row[8].as<std::int64_t>();
        report.oldest_behind_horizon = optional_timestamp(row[10]);
        if (const auto capped = row[9].as<std::int64_t>(); capped > 0) report.caps.emplace_back("pattern_groups", capped);
        if (const auto dropped = row[11].as<std::int64_t>(); dropped > 0) report.caps.emplace_back("near_misses", dropped);
        report.rematches = {row[12].as<std::int64_t>(), row[13].as<std::int64_t>(), row[16].as<std::int64_t>(), optional_timestamp(row[17])};
        if (const auto cut = row[14].as<std::int64_t>(); cut > 0) report.caps.emplace_back("rematches", cut);
        if (const auto given_up = row[15].as<std::int64_t>(); given_up > 0) report.caps.emplace_back("rematched_signals", given_up);
        if (const auto evicted = row[18].as<std::int64_t>(); evicted > 0) report.caps.emplace_back("window_signals", evicted);
        if (const auto turned_away = row[19].as<std::int64_t>(); turned_away > 0) report.caps.emplace_back("window_signals_turned_away", turned_away);
        if (const auto aggregated = row[20].as<std::int64_t>(); aggregated > 0) report.caps.emplace_back("daily_incidents", aggregated);
        if (const auto cut_short = row[21].as<std::int64_t>(); cut_short > 0) report.caps.emplace_back("incident_entities", cut_short);
    }
    const auto retention = transaction.exec1(retention_sql);
    report.taken_from = optional_timestamp(retention[0]);
    report.kept_from = optional_timestamp(retention[1]);
    for (const auto& row : transaction.exec(denied_sql)) report.denied.push_back({{row[0].c_str(), row[1].c_str()}, timestamp_from(row[2])});
    const auto lag = lag_of(transaction, caller);
    report.lag_signals = lag.entries;
    if (lag.entries > 0 && lag.oldest) report.lag_seconds = std::max(0.0, double_from(transaction.exec_params1(now_sql, *lag.oldest)[0]));
    return report;
}

}  // namespace

api::ports::Outcome<DiagnosticsReport> DiagnosticsStore::report(const api::Caller& caller) {
    auto report =
        to_outcome(tenant_transaction(pool_, caller.tenant, Access::read, [&](TenantTransaction& transaction) { return read_report(transaction, caller); }),
                   "diagnostics");
    if (!report) return report;
    if (process_.sources) (*report).sources = process_.sources(caller.tenant);
    if (process_.caps) {
        for (auto& cap : process_.caps(caller.tenant)) (*report).caps.push_back(std::move(cap));
    }
    if (process_.leader) (*report).leader = process_.leader(caller.tenant);
    return report;
}

std::optional<std::string> DiagnosticsStore::not_ready() {
    if (process_.not_ready) {
        if (auto reason = process_.not_ready()) return reason;
    }
    const auto answered =
        tenant_transaction(pool_, std::nullopt, Access::read, [](TenantTransaction& transaction) { return transaction.exec1("SELECT 1")[0].as<int>(); });
    if (!answered) return "the database does not answer";
    return std::nullopt;
}

}  // namespace catenary::server::pg
