#include "server/lanes/outbox_writer.hpp"

#include "api/tickets/condition.hpp"
#include "api/tickets/connector_document.hpp"
#include "server/pg/record_rows.hpp"
#include "server/pg/sql_text.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <nlohmann/json.hpp>
#include <pqxx/pqxx>

#include <exception>
#include <string_view>

namespace catenary::server {
namespace {

constexpr std::size_t most_known = 10'000;

constexpr const char* connectors_sql =
    "SELECT tenant, name, (extract(epoch FROM changed) * 1000000)::int8 FROM connector WHERE enabled AND tenant = ANY($1::int4[]) ORDER BY tenant, name";
constexpr const char* document_sql = "SELECT document FROM connector WHERE tenant = $1 AND name = $2";
// A row of the outbox that a dispatcher is taking becomes a ticket in the same transaction, so one snapshot sees one of them. Whose ticket says that it goes on
// in another incident, or gave findings to another, has that one's ticket to show for it.
constexpr const char* outbox_sql = R"(
    INSERT INTO outbox (tenant, connector, incident, revision, cause)
    SELECT r.tenant, r.connector, r.incident, r.revision, CASE WHEN r.opens THEN r.cause ELSE 'changed' END
    FROM json_to_recordset($1::json) AS r(tenant int4, connector text, incident int8, revision int8, cause text, opens bool, split_from int8),
         LATERAL (SELECT array_agg(i.number) || ARRAY[r.incident, r.split_from] AS numbers FROM incident i
                  WHERE i.tenant = r.tenant AND i.merged_into = r.incident) kin
    WHERE r.opens OR EXISTS (SELECT FROM ticket t WHERE t.tenant = r.tenant AND t.connector = r.connector AND t.incident = ANY(kin.numbers))
       OR EXISTS (SELECT FROM outbox o WHERE o.tenant = r.tenant AND o.connector = r.connector AND o.incident = ANY(kin.numbers))
    ON CONFLICT DO NOTHING)";

}  // namespace

const OutboxWriter::Known& OutboxWriter::known(pqxx::transaction_base& transaction, std::int32_t tenant, const Wanted& wanted) {
    auto& entry = known_[Key{tenant, wanted.name}];
    if (entry.changed == wanted.changed) return entry;
    entry = {wanted.changed, std::nullopt};
    const std::string document = transaction.exec_params1(document_sql, tenant, wanted.name)[0].c_str();
    try {
        entry.connector = api::tickets::stored_connector(document);
    } catch (const std::exception& damaged) {  // of a newer version; the lanes go on without it
        spdlog::error("event=connector_unreadable tenant={} connector={} reason=\"{}\"", tenant, wanted.name, damaged.what());
    }
    return entry;
}

void OutboxWriter::write(pqxx::transaction_base& transaction, const std::vector<ResultRows>& rows) {
    std::vector<std::int64_t> tenants;
    for (const auto& tenant : rows) {
        if (!tenant.changed.empty()) tenants.push_back(tenant.tenant.value());
    }
    if (tenants.empty()) return;
    std::map<std::int32_t, std::vector<Wanted>> connectors;
    for (const auto& row : transaction.exec_params(connectors_sql, pg::array_literal(tenants))) {
        connectors[row[0].as<std::int32_t>()].push_back({row[1].c_str(), row[2].as<std::int64_t>()});
    }
    if (connectors.empty()) return;
    if (known_.size() > most_known) known_.clear();

    const auto incidents_sql = fmt::format("SELECT {} FROM incident i WHERE i.tenant = $1 AND i.number = ANY($2::int8[])", pg::incident_columns);
    auto concerned = nlohmann::json::array();
    for (const auto& tenant : rows) {
        const auto own = connectors.find(tenant.tenant.value());
        if (tenant.changed.empty() || own == connectors.end()) continue;
        std::vector<std::int64_t> numbers;
        std::map<std::int64_t, const ChangedIncident*> changes;
        for (const auto& changed : tenant.changed) {
            numbers.push_back(changed.number);
            changes.emplace(changed.number, &changed);
        }
        for (const auto& row : transaction.exec_params(incidents_sql, tenant.tenant.value(), pg::array_literal(numbers))) {
            const auto incident = pg::incident_from(row);
            const auto& change = *changes.at(incident.number.value());
            for (const auto& wanted : own->second) {
                const auto& connector = known(transaction, tenant.tenant.value(), wanted).connector;
                if (!connector) continue;
                const bool opens = !incident.merged_into && connector->opens_on(change.cause) && api::tickets::meets(connector->condition, incident);
                concerned.push_back({{"tenant", tenant.tenant.value()},
                                     {"connector", wanted.name},
                                     {"incident", incident.number.value()},
                                     {"revision", incident.revision},
                                     {"cause", change.cause},
                                     {"opens", opens},
                                     {"split_from", change.split_from}});
            }
        }
    }
    if (!concerned.empty()) transaction.exec_params(outbox_sql, concerned.dump());
}

}  // namespace catenary::server
