#include "server/pg/incident_store.hpp"

#include "server/pg/incident_page.hpp"
#include "server/pg/place.hpp"
#include "server/pg/record_rows.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"
#include "server/pg/ticket_rows.hpp"

#include <fmt/format.h>

#include <utility>

namespace catenary::server::pg {
namespace {

using api::ports::EvidenceRow;
using api::ports::IncidentDetail;
using api::ports::IncidentEvidence;
using api::ports::IncidentFilter;
using api::ports::Page;
using api::ports::PageRequest;
using engine::IncidentNumber;
using engine::IncidentRecord;

const Statement incident_by_number{"incident_by_number", fmt::format("SELECT {} FROM incident i WHERE i.number = $1", incident_columns)};
const Statement incident_exists{"incident_exists", "SELECT EXISTS (SELECT FROM incident WHERE number = $1)"};

const Statement incident_evidence{"incident_evidence", fmt::format(R"(
    SELECT DISTINCT ON (e.time, e.source, e.source_id) {}
    FROM finding f JOIN finding_evidence e ON e.tenant = f.tenant AND e.finding = f.id
    WHERE f.incident = $1 AND f.state <> 'superseded'
      AND ($2::timestamptz IS NULL OR (e.time, e.source, e.source_id) > ($2, $3::text, $4::text))
    ORDER BY e.time, e.source, e.source_id, f.start_time, f.id LIMIT $5)",
                                                                   evidence_columns)};

const Statement incident_activity{"incident_activity", R"(
    SELECT number, position, at, actor, what, detail, line FROM incident_activity
    WHERE number = $1 AND ($2::int8 IS NULL OR (position, line) > ($2, $3::int4)) AND ($5::text[] IS NULL OR what = ANY($5))
    ORDER BY position, line LIMIT $4)"};

const Statement incident_comments{"incident_comments", R"(
    SELECT number, position, at, actor, what, detail, line FROM incident_activity WHERE number = $1 AND what = 'commented' ORDER BY position, line LIMIT $2)"};

const Statement incident_tickets{
    "incident_tickets", fmt::format("SELECT {} FROM ticket t WHERE t.incident = $1 ORDER BY t.connector LIMIT {}", ticket_columns, api::tickets::most_links)};

// Whoever shares an entity is found by its index. Patterns and techniques have none: of the newest incidents only those are looked at.
const Statement incidents_alike{"incidents_alike", fmt::format(R"(
    WITH by_entity AS (SELECT {0} FROM incident i
                       WHERE i.entity_keys && $2 AND i.number <> $1 AND i.merged_into IS NULL ORDER BY i.last_activity DESC, i.number DESC LIMIT $5),
         newest AS (SELECT * FROM incident WHERE merged_into IS NULL AND number <> $1 ORDER BY last_activity DESC, number DESC LIMIT 5000),
         by_kind AS (SELECT {0} FROM newest i
                     WHERE (i.patterns && $3 OR i.techniques && $4) AND NOT i.entity_keys && $2 ORDER BY i.last_activity DESC, i.number DESC LIMIT $5)
    SELECT * FROM by_entity UNION ALL SELECT * FROM by_kind)",
                                                               incident_columns)};

const Statement incident_findings{
    "incident_findings",
    fmt::format("SELECT {} FROM finding f WHERE f.incident = $1 AND f.state <> 'superseded' ORDER BY f.start_time, f.id", finding_columns)};

StoreError no_incident(IncidentNumber number) { return {StoreErrorCode::not_found, fmt::format("there is no incident {}", number.value())}; }

bool exists(TenantTransaction& transaction, IncidentNumber number) { return transaction.rows(incident_exists, number.value())[0][0].as<bool>(); }

std::vector<engine::FindingRecord> findings_from(const pqxx::result& rows) {
    std::vector<engine::FindingRecord> findings;
    for (const auto& row : rows) findings.push_back(finding_from(row));
    return findings;
}

StoreResult<IncidentRecord> record_from(const pqxx::result& rows, IncidentNumber number) {
    if (rows.empty()) return no_incident(number);
    return incident_from(rows[0]);
}

StoreResult<IncidentRecord> read_record(TenantTransaction& transaction, IncidentNumber number) {
    return record_from(transaction.rows(incident_by_number, number.value()), number);
}

constexpr int most_redirects = 16;  // merges lead on to merges, never in a ring; a longer way is a damaged row

/// The incident, or the one that it was merged into.
StoreResult<IncidentRecord> read_story(TenantTransaction& transaction, IncidentNumber number) {
    auto record = read_record(transaction, number);
    for (int i = 0; i < most_redirects && record && (*record).merged_into; ++i) record = read_record(transaction, *(*record).merged_into);
    return record;
}

Page<EvidenceRow> evidence_page(const pqxx::result& rows, std::size_t limit) {
    Page<EvidenceRow> page;
    for (const auto& row : rows) {
        if (page.items.size() == limit) {
            const auto& last = page.items.back().signal.signal;
            page.next = place_text({timestamp_text(last.time), last.source, last.id});
            break;
        }
        page.items.push_back(evidence_from(row));
    }
    return page;
}

/// Of the incident, or of the one that it was merged into.
StoreResult<IncidentEvidence> read_evidence(TenantTransaction& transaction, IncidentNumber number, const PageRequest& request) {
    std::optional<std::string> time, source, id;
    if (!request.after.empty()) {
        const auto place = place_from(request.after, 3);
        if (!place) return foreign_cursor();
        time = (*place)[0];
        source = (*place)[1];
        id = (*place)[2];
    }
    const auto limit = static_cast<std::int64_t>(request.limit + 1);
    for (int redirects = 0;; ++redirects) {
        const auto found = transaction.results({transaction.call(incident_by_number, number.value()), transaction.call(incident_findings, number.value()),
                                                transaction.call(incident_evidence, number.value(), time, source, id, limit)});
        auto record = record_from(found[0], number);
        if (!record) return record.error();
        if ((*record).merged_into && redirects < most_redirects) {
            number = *(*record).merged_into;
            continue;
        }
        return IncidentEvidence{*std::move(record), findings_from(found[1]), evidence_page(found[2], request.limit)};
    }
}

engine::IncidentActivity activity_from(const pqxx::row& row) {
    return {IncidentNumber{row[0].as<std::int64_t>()},
            engine::Position{row[1].as<std::int64_t>()},
            timestamp_from(row[2]),
            row[3].c_str(),
            row[4].c_str(),
            row[5].c_str()};
}

StoreResult<Page<engine::IncidentActivity>> read_activity(TenantTransaction& transaction, IncidentNumber number, const std::vector<std::string>& kinds,
                                                          const PageRequest& request) {
    std::optional<std::string> position, line;
    if (!request.after.empty()) {
        const auto place = place_from(request.after, 2);
        if (!place) return foreign_cursor();
        position = (*place)[0];
        line = (*place)[1];
    }
    Page<engine::IncidentActivity> page;
    std::string last_line;
    for (const auto& row :
         transaction.rows(incident_activity, number.value(), position, line, static_cast<std::int64_t>(request.limit + 1), filter_literal(kinds))) {
        if (page.items.size() == request.limit) {
            page.next = place_text({std::to_string(page.items.back().position.value()), last_line});
            break;
        }
        page.items.push_back(activity_from(row));
        last_line = row[6].c_str();
    }
    if (page.items.empty() && !exists(transaction, number)) return no_incident(number);
    return page;
}

}  // namespace

api::ports::Outcome<Page<IncidentRecord>> IncidentStore::page(const api::Caller& caller, const IncidentFilter& filter, const PageRequest& request) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](TenantTransaction& transaction) { return read_incident_page(transaction, filter, request); }),
                      "list_incidents");
}

api::ports::Outcome<IncidentRecord> IncidentStore::find(const api::Caller& caller, IncidentNumber number) {
    return to_outcome(
        tenant_transaction(pool_, caller.tenant, Access::look_up, [&](TenantTransaction& transaction) { return read_record(transaction, number); }),
        "find_incident");
}

api::ports::Outcome<IncidentRecord> IncidentStore::story(const api::Caller& caller, IncidentNumber number) {
    return to_outcome(
        tenant_transaction(pool_, caller.tenant, Access::look_up, [&](TenantTransaction& transaction) { return read_story(transaction, number); }),
        "incident_story");
}

api::ports::Outcome<IncidentEvidence> IncidentStore::evidence(const api::Caller& caller, IncidentNumber number, const PageRequest& request) {
    return to_outcome(
        tenant_transaction(pool_, caller.tenant, Access::look_up, [&](TenantTransaction& transaction) { return read_evidence(transaction, number, request); }),
        "incident_evidence");
}

api::ports::Outcome<Page<engine::IncidentActivity>> IncidentStore::activity(const api::Caller& caller, IncidentNumber number,
                                                                            const std::vector<std::string>& kinds, const PageRequest& request) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::look_up,
                                         [&](TenantTransaction& transaction) { return read_activity(transaction, number, kinds, request); }),
                      "incident_activity");
}

api::ports::Outcome<IncidentDetail> IncidentStore::detail(const api::Caller& caller, IncidentNumber number, std::size_t most_comments) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::look_up,
                                         [&](TenantTransaction& transaction) -> StoreResult<IncidentDetail> {
                                             const auto most = static_cast<std::int64_t>(most_comments);
                                             const auto found = transaction.results({transaction.call(incident_by_number, number.value()),
                                                                                     transaction.call(incident_findings, number.value()),
                                                                                     transaction.call(incident_comments, number.value(), most),
                                                                                     transaction.call(incident_tickets, number.value())});
                                             auto record = record_from(found[0], number);
                                             if (!record) return record.error();
                                             IncidentDetail detail{*std::move(record), findings_from(found[1]), {}, {}};
                                             for (const auto& row : found[2]) detail.comments.push_back(activity_from(row));
                                             for (const auto& row : found[3]) detail.tickets.push_back(ticket_from(row));
                                             return detail;
                                         }),
                      "incident_detail");
}

api::ports::Outcome<std::vector<engine::FindingRecord>> IncidentStore::findings(const api::Caller& caller, IncidentNumber number) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::look_up,
                                         [&](TenantTransaction& transaction) -> StoreResult<std::vector<engine::FindingRecord>> {
                                             auto findings = findings_from(transaction.rows(incident_findings, number.value()));
                                             if (findings.empty() && !exists(transaction, number)) return no_incident(number);
                                             return findings;
                                         }),
                      "incident_findings");
}

api::ports::Outcome<std::vector<IncidentRecord>> IncidentStore::alike(const api::Caller& caller, const IncidentRecord& incident, std::size_t most) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](TenantTransaction& transaction) {
                                             std::vector<IncidentRecord> found;
                                             for (const auto& row : transaction.rows(
                                                      incidents_alike, incident.number.value(), array_literal(entity_key_texts(incident.entities)),
                                                      array_literal(incident.patterns), array_literal(incident.techniques), static_cast<std::int64_t>(most))) {
                                                 found.push_back(incident_from(row));
                                             }
                                             return found;
                                         }),
                      "similar_incidents");
}

}  // namespace catenary::server::pg
