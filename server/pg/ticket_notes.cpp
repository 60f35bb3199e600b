#include "api/json/control_json.hpp"
#include "server/pg/control_entry.hpp"
#include "server/pg/tenant_transaction.hpp"
#include "server/pg/ticket_queue.hpp"

#include <fmt/format.h>

// What tickets tell besides their incident's own state: kin, comments and notes.

namespace catenary::server::pg {
namespace {

// The engine's own words of a split: "2 findings to incident 7: why".
constexpr const char* kin_sql = R"(
    WITH split AS (
        SELECT DISTINCT regexp_match(detail, '^[^:]* (to|from) incident ([0-9]+)') AS said FROM incident_activity WHERE number = $2 AND what = 'split'),
    kin AS (
        SELECT 0 AS tie, merged_into AS number FROM incident WHERE number = $2 AND merged_into IS NOT NULL
        UNION ALL (SELECT 1, number FROM incident WHERE merged_into = $2 ORDER BY number LIMIT 50)
        UNION ALL (SELECT CASE WHEN said[1] = 'to' THEN 2 ELSE 3 END, said[2]::int8 FROM split WHERE said IS NOT NULL ORDER BY 1, 2 LIMIT 50))
    SELECT k.tie, k.number, coalesce(t.external_id, ''), coalesce(t.external_url, '')
    FROM kin k LEFT JOIN ticket t ON t.connector = $1 AND t.incident = k.number AND t.state <> 'gone'
    ORDER BY k.tie, k.number)";
constexpr const char* comments_sql = R"(
    SELECT position, actor, detail FROM incident_activity WHERE number = $1 AND position > $2 AND what = 'commented' ORDER BY position, line LIMIT 50)";
constexpr const char* seen_sql = "UPDATE ticket SET seen_note = $2 WHERE id = $1 AND seen_note = $3";

}  // namespace

StoreResult<std::vector<api::tickets::Kin>> TicketQueue::kin(engine::IncidentNumber incident) {
    return tenant_transaction(pool_, tenant_, Access::read, [&](TenantTransaction& transaction) {
        std::vector<api::tickets::Kin> kin;
        for (const auto& row : transaction.exec_params(kin_sql, name_, incident.value())) {
            kin.push_back(
                {static_cast<api::tickets::Kin::Tie>(row[0].as<int>()), engine::IncidentNumber{row[1].as<std::int64_t>()}, row[2].c_str(), row[3].c_str()});
        }
        return kin;
    });
}

StoreResult<std::vector<IncidentNote>> TicketQueue::comments(engine::IncidentNumber incident, std::int64_t after) {
    return tenant_transaction(pool_, tenant_, Access::read, [&](TenantTransaction& transaction) {
        std::vector<IncidentNote> comments;
        for (const auto& row : transaction.exec_params(comments_sql, incident.value(), after)) {
            comments.push_back({row[0].as<std::int64_t>(), row[1].c_str(), row[2].c_str()});
        }
        return comments;
    });
}

StoreResult<void> TicketQueue::take_note(std::int64_t epoch, const KnownTicket& ticket, const std::string& note,
                                         const std::optional<engine::IncidentComment>& comment) {
    api::Caller connector;  // whom the audit names
    connector.tenant = tenant_;
    connector.key_id = "connector " + name_;
    return tenant_transaction(pool_, connector, Access::write, [&](TenantTransaction& transaction) -> StoreResult<void> {
        if (const auto ours = fenced(transaction, epoch); !ours) return ours.error();
        if (transaction.exec_params(seen_sql, ticket.id, note, ticket.seen_note).affected_rows() == 0) {
            return StoreError{StoreErrorCode::stale, "the ticket's notes were seen by somebody else"};
        }
        if (comment) append_control(transaction, tenant_, "comment", api::json::control_to_text(*comment));
        return {};
    });
}

}  // namespace catenary::server::pg
