#include "server/pg/stored_incidents.hpp"

#include "api/json/record_text.hpp"
#include "server/pg/record_rows.hpp"
#include "server/pg/sql_text.hpp"

#include <fmt/format.h>
#include <pqxx/pqxx>

#include <algorithm>
#include <string_view>

namespace catenary::server::pg {
namespace {

constexpr std::string_view closed = "closed";
constexpr std::string_view recent_cte =
    "WITH recent AS (SELECT DISTINCT incident AS number FROM finding WHERE tenant = $1 AND start_time >= $2 AND incident IS NOT NULL) ";
constexpr std::string_view wanted_cte =
    "{}, wanted AS (SELECT number FROM recent UNION (SELECT number FROM incident WHERE tenant = $1 AND merged_into IS NULL ORDER BY number DESC LIMIT {})) ";

}  // namespace

engine::StoredIncidents stored_incidents(pqxx::work& transaction, engine::TenantId tenant, std::optional<engine::Timestamp> earliest) {
    const auto from = earliest ? timestamp_text(*earliest) : "infinity";
    const auto numbers_cte = fmt::format(wanted_cte, recent_cte, engine::StoredIncidents::most_ended);
    engine::StoredIncidents all;
    const auto incidents = fmt::format(
        "{} SELECT {} FROM incident i WHERE i.tenant = $1 AND (i.number IN (SELECT number FROM wanted) OR i.merged_into IN (SELECT number FROM wanted)) "
        "ORDER BY i.number",
        numbers_cte, incident_columns);
    for (const auto& row : transaction.exec_params(incidents, tenant.value(), from)) all.incidents.push_back(incident_from(row));
    const auto findings = fmt::format(
        "{} SELECT f.id, f.incident, f.start_time, f.end_time, f.evidence_total, f.principals, i.status FROM finding f "
        "JOIN incident i ON i.tenant = f.tenant AND i.number = f.incident "
        "WHERE f.tenant = $1 AND f.incident IN (SELECT number FROM wanted) AND f.state <> 'superseded' AND f.mode = 'production' ORDER BY f.start_time, f.id",
        numbers_cte);
    for (const auto& row : transaction.exec_params(findings, tenant.value(), from)) {
        auto& finding = all.findings.emplace_back();
        finding.id = engine::FindingId{uuid_from(row[0])};
        finding.incident = engine::IncidentNumber{row[1].as<std::int64_t>()};
        finding.start = timestamp_from(row[2]);
        finding.end = timestamp_from(row[3]);
        finding.evidence_total = row[4].as<std::int64_t>();
        if (row[6].c_str() != closed) continue;
        finding.principals = api::json::entity_keys_from_text(row[5].c_str());
        std::sort(finding.principals.begin(), finding.principals.end());
    }
    const auto evidence = fmt::format(
        "{} SELECT e.finding, e.time, e.source, e.source_id FROM finding_evidence e JOIN finding f ON f.tenant = e.tenant AND f.id = e.finding "
        "JOIN incident i ON i.tenant = f.tenant AND i.number = f.incident WHERE e.tenant = $1 AND f.tenant = $1 AND f.incident IN (SELECT number FROM recent) "
        "AND f.state <> 'superseded' AND f.mode = 'production' AND i.status = 'closed' ORDER BY f.start_time, f.id",
        recent_cte);
    auto finding = all.findings.begin();
    for (const auto& row : transaction.exec_params(evidence, tenant.value(), from)) {
        const engine::FindingId id{uuid_from(row[0])};
        while (finding->id != id) ++finding;  // the same order
        finding->evidence.push_back({timestamp_from(row[1]), row[2].c_str(), row[3].c_str()});
    }
    for (auto& one : all.findings) std::sort(one.evidence.begin(), one.evidence.end());
    return all;
}

}  // namespace catenary::server::pg
