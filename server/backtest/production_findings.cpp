#include "server/backtest/production_findings.hpp"

#include "server/ingest/pq_values.hpp"
#include "server/ingest/signal_key.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace catenary::server {
namespace {

using Comparison = api::json::BacktestReport::Comparison;

constexpr std::size_t most_listed = 100;
constexpr std::size_t findings_a_statement = 500;
constexpr Oid text_type = 25;

// No finding spans more than 30 days, which bounds where those that reach into the interval begin.
constexpr const char* findings_sql = R"(
    SELECT id, start_time FROM finding
    WHERE tenant = $1 AND pattern = $2 AND mode = 'production' AND state <> 'superseded' AND start_time >= $3::timestamptz - interval '30 days'
      AND start_time <= $4 AND end_time >= $3 ORDER BY start_time, id LIMIT 10001)";
constexpr const char* count_sql = R"(
    SELECT count(*) FROM finding
    WHERE tenant = $1 AND pattern = $2 AND mode = 'production' AND state <> 'superseded' AND start_time >= $3::timestamptz - interval '30 days'
      AND start_time <= $4 AND end_time >= $3)";
constexpr const char* evidence_sql = R"(
    SELECT w.id, e.source, e.source_id FROM unnest($2::uuid[]) AS w (id)
    CROSS JOIN LATERAL (SELECT source, source_id FROM finding_evidence WHERE tenant = $1 AND finding = w.id ORDER BY time, source, source_id LIMIT 200) e)";

struct Produced {
    engine::FindingId id;
    engine::Timestamp start;
    std::optional<FindingTally::Index> same;
};

engine::FindingId id_from(std::string_view bytes) {
    boost::uuids::uuid id{};
    std::memcpy(id.data, bytes.data(), std::min(bytes.size(), sizeof id.data));
    return engine::FindingId{id};
}

/// A UUID as the array parameter takes it.
SignalKey as_key(const engine::FindingId& id) {
    const std::string_view bytes{reinterpret_cast<const char*>(id.value().data), sizeof id.value().data};
    return {read_number<std::uint64_t>(bytes), read_number<std::uint64_t>(bytes.substr(8))};
}

std::vector<PqParameter> parameters_of(engine::TenantId tenant, const api::json::BacktestReport& report) {
    return {int4_value(tenant.value()), PqParameter{text_type, report.pattern}, timestamp_value(report.from), timestamp_value(report.to)};
}

/// Marks those that share a signal with a finding of the backtest.
void match_by_evidence(PqConnection& connection, Interrupt& interrupt, engine::TenantId tenant, const FindingTally& tally, std::vector<Produced>& produced) {
    std::map<engine::FindingId, Produced*> open;
    for (auto& each : produced) {
        if (!each.same) open.emplace(each.id, &each);
    }
    for (auto begin = open.begin(); begin != open.end();) {
        interrupt.throw_if_asked();
        std::vector<SignalKey> keys;
        for (; begin != open.end() && keys.size() < findings_a_statement; ++begin) keys.push_back(as_key(begin->first));
        const std::vector<PqParameter> parameters{int4_value(tenant.value()), uuid_array(keys)};
        const auto rows = connection.query(evidence_sql, parameters);
        for (int row = 0; row < rows.rows(); ++row) {
            auto& finding = *open.at(id_from(rows.text(row, 0)));
            if (!finding.same) finding.same = tally.with_evidence(rows.text(row, 1), rows.text(row, 2));
        }
    }
}

template <class T>
void list(std::vector<T>& entries, T entry) {
    if (entries.size() < most_listed) entries.push_back(std::move(entry));
}

Comparison compared(const FindingTally& tally, const std::vector<Produced>& produced) {
    Comparison comparison;
    const auto all = tally.all();
    std::vector<bool> has_same(all.size());
    for (const auto& finding : produced) {
        if (!finding.same) {
            ++comparison.only_production;
            list(comparison.missing_in_backtest, finding.id);
            continue;
        }
        has_same[*finding.same] = true;
        list(comparison.pairs, {all[*finding.same].id, finding.id});
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].superseded) continue;
        ++(has_same[i] ? comparison.both : comparison.only_backtest);
        if (!has_same[i]) list(comparison.missing_in_production, all[i].id);
    }
    return comparison;
}

std::vector<api::json::BacktestReport::DayCount> days_of(const FindingTally& tally, const std::vector<Produced>& produced, engine::Timestamp from) {
    std::map<std::chrono::sys_days, api::json::BacktestReport::DayCount> days;
    const auto on = [&](engine::Timestamp start) -> auto& {
        const auto day = engine::event_day(std::max(start, from));
        auto& count = days[day];
        count.day = day;
        return count;
    };
    for (const auto& finding : tally.all()) {
        if (!finding.superseded) ++on(finding.start).backtest;
    }
    for (const auto& finding : produced) ++on(finding.start).production;
    std::vector<api::json::BacktestReport::DayCount> list;
    for (const auto& [day, count] : days) list.push_back(count);
    return list;
}

}  // namespace

void compare_with_production(PqConnection& connection, Interrupt& interrupt, engine::TenantId tenant, const FindingTally& tally,
                             api::json::BacktestReport& report) {
    interrupt.throw_if_asked();
    const Interrupt::Scope scope{interrupt, connection};
    const auto parameters = parameters_of(tenant, report);
    std::vector<Produced> produced;
    const auto rows = connection.query(findings_sql, parameters);
    for (int row = 0; row < rows.rows() && produced.size() < most_compared; ++row) {
        const auto id = id_from(rows.text(row, 0));
        produced.push_back({id, from_postgres(rows.int8(row, 1)), tally.with_id(id)});
    }
    const bool is_cut = static_cast<std::size_t>(rows.rows()) > most_compared;
    match_by_evidence(connection, interrupt, tenant, tally, produced);
    report.comparison = compared(tally, produced);
    report.comparison.production_total = is_cut ? connection.query(count_sql, parameters).int8(0, 0) : static_cast<std::int64_t>(produced.size());
    report.comparison.complete = !is_cut && !tally.evidence_cut();
    report.days = days_of(tally, produced, report.from);
}

}  // namespace catenary::server
