#include "server/pg/ticket_desk.hpp"

#include "server/pg/place.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"
#include "server/pg/ticket_rows.hpp"

#include <fmt/format.h>
#include <sodium.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace catenary::server::pg {
namespace {

using api::Caller;
using api::ports::Page;
using api::ports::PageRequest;
using api::tickets::ConnectorRow;
using api::tickets::ConnectorTest;
using api::tickets::DeliveryFilter;
using api::tickets::DeliveryRow;
using api::tickets::TicketFilter;
using api::tickets::TicketRow;

constexpr std::int64_t most_connectors = 32;

// What counts is whether there are some, and whether there are many.
constexpr std::string_view connector_sql = R"(
    SELECT c.name, c.document, c.secret_names, c.revision, c.changed, c.changed_by, s.paused, s.failures,
           CASE WHEN s.open_until > clock_timestamp() THEN s.open_until END, s.succeeded, s.failed, s.failure,
           (SELECT count(*) FROM (SELECT FROM ticket t WHERE t.connector = c.name AND t.state IN ('pending', 'sending', 'in_doubt') LIMIT 10000) w),
           (SELECT count(*) FROM (SELECT FROM ticket t WHERE t.connector = c.name AND t.state = 'failed' LIMIT 10000) f), c.hook
    FROM connector c JOIN connector_state s ON s.tenant = c.tenant AND s.name = c.name
    WHERE {} ORDER BY c.name LIMIT {})";
constexpr const char* count_sql = "SELECT count(*), count(*) FILTER (WHERE name = $1) FROM connector";
constexpr const char* put_sql = R"(
    INSERT INTO connector AS c (tenant, name, revision, enabled, document, secrets, secret_names, changed_by)
    VALUES ($1, $2, 1, $3, $4, decode($5, 'hex'), coalesce($6::text[], '{}'), $7)
    ON CONFLICT (tenant, name) DO UPDATE
    SET revision = c.revision + 1, enabled = EXCLUDED.enabled, document = EXCLUDED.document, secrets = coalesce(EXCLUDED.secrets, c.secrets),
        secret_names = CASE WHEN $6::text[] IS NULL THEN c.secret_names ELSE EXCLUDED.secret_names END, changed = clock_timestamp(), changed_by = EXCLUDED.changed_by
    WHERE $8::int8 IS NULL OR c.revision = $8
    RETURNING revision)";
constexpr const char* fresh_state_sql = R"(
    INSERT INTO connector_state (tenant, name) VALUES ($1, $2)
    ON CONFLICT (tenant, name) DO UPDATE SET paused = '', failures = 0, open_until = '-infinity', poll_due = '-infinity')";
constexpr const char* running_sql =
    "UPDATE connector_state SET paused = '', failures = 0, open_until = '-infinity', succeeded = clock_timestamp() WHERE name = $1";
constexpr const char* test_failed_sql = "UPDATE connector_state SET failed = clock_timestamp(), failure = $2 WHERE name = $1";
constexpr const char* awake_sql = "UPDATE connector_state SET open_until = '-infinity' WHERE name = $1";
constexpr const char* exists_sql = "SELECT EXISTS (SELECT FROM connector WHERE name = $1)";
constexpr const char* incident_sql = "SELECT revision, merged_into FROM incident WHERE number = $1";
constexpr const char* open_sql = R"(
    INSERT INTO ticket AS t (tenant, connector, incident, state, cause, wanted) VALUES ($1, $2, $3, 'pending', 'created', $4)
    ON CONFLICT (tenant, connector, incident) DO UPDATE
    SET state = CASE WHEN t.state IN ('done', 'failed', 'pending') THEN 'pending' ELSE t.state END, wanted = greatest(t.wanted, EXCLUDED.wanted), attempts = 0,
        due = clock_timestamp(), changed = clock_timestamp()
    RETURNING id)";
// What is being sent, or may have arrived, is left to whoever is about it. A ticket that is gone is made anew.
constexpr const char* again_sql = R"(
    UPDATE ticket t SET due = clock_timestamp(), attempts = 0, changed = clock_timestamp(),
        external_id = CASE WHEN state = 'gone' THEN '' ELSE external_id END, delivered = CASE WHEN state = 'gone' THEN 0 ELSE delivered END,
        told = CASE WHEN state = 'gone' THEN '' ELSE told END, told_comment = CASE WHEN state = 'gone' THEN 0 ELSE told_comment END,
        seen_note = CASE WHEN state = 'gone' THEN '' ELSE seen_note END,
        detail = CASE WHEN state IN ('sending', 'in_doubt') THEN detail ELSE '' END,
        state = CASE WHEN state IN ('sending', 'in_doubt') THEN state ELSE 'pending' END
    WHERE id = $1 RETURNING )";

StoreError no_connector(const std::string& name) { return {StoreErrorCode::not_found, fmt::format("there is no connector {}", name)}; }

ConnectorRow connector_from(const pqxx::row& row) {
    ConnectorRow connector;
    connector.name = row[0].c_str();
    connector.document_json = row[1].c_str();
    connector.secret_names = text_array(row[2]);
    connector.revision = row[3].as<std::int64_t>();
    connector.changed = timestamp_from(row[4]);
    connector.changed_by = row[5].c_str();
    connector.paused = row[6].c_str();
    connector.failures = row[7].as<std::int32_t>();
    connector.resting_until = optional_timestamp(row[8]);
    connector.succeeded = optional_timestamp(row[9]);
    connector.failed = optional_timestamp(row[10]);
    connector.failure = row[11].c_str();
    connector.waiting = row[12].as<std::int64_t>();
    connector.failed_tickets = row[13].as<std::int64_t>();
    connector.hook = row[14].c_str();
    return connector;
}

StoreResult<ConnectorRow> read_connector(TenantTransaction& transaction, const std::string& name) {
    static const Statement by_name{"connector_by_name", fmt::format(fmt::runtime(connector_sql), "c.name = $1", 1)};
    const auto rows = transaction.rows(by_name, name);
    if (rows.empty()) return no_connector(name);
    return connector_from(rows[0]);
}

std::string hexadecimal(const std::string& bytes) {
    std::string text(bytes.size() * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    text.pop_back();
    return text;
}

StoreResult<TicketRow> try_again(TenantTransaction& transaction, std::int64_t id) {
    const auto rows = transaction.exec_params(std::string{again_sql} + ticket_columns, id);
    if (rows.empty()) return StoreError{StoreErrorCode::not_found, fmt::format("there is no ticket {}", id)};
    auto ticket = ticket_from(rows[0]);
    transaction.exec_params(awake_sql, ticket.connector);
    return ticket;
}

/// Position of a page in a list of ids that goes down.
StoreResult<std::int64_t> id_before(const PageRequest& request) {
    if (request.after.empty()) return std::numeric_limits<std::int64_t>::max();
    const auto place = place_from(request.after, 1);
    if (!place) return foreign_cursor();
    return std::stoll((*place)[0]);
}

template <class Row, class Read>
Page<Row> page_of(const pqxx::result& rows, std::size_t limit, Read read) {
    Page<Row> page;
    for (const auto& row : rows) {
        if (page.items.size() == limit) {
            page.next = place_text({std::to_string(page.items.back().id)});
            break;
        }
        page.items.push_back(read(row));
    }
    return page;
}

}  // namespace

api::ports::Outcome<Page<ConnectorRow>> PgTicketDesk::connectors(const Caller& caller, const PageRequest& request) {
    static const Statement listed{"connectors_listed", fmt::format(fmt::runtime(connector_sql), "c.name > $1", "$2")};
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](TenantTransaction& transaction) {
                                             Page<ConnectorRow> page;
                                             for (const auto& row : transaction.rows(listed, request.after, static_cast<std::int64_t>(request.limit + 1))) {
                                                 if (page.items.size() == request.limit) {
                                                     page.next = page.items.back().name;
                                                     break;
                                                 }
                                                 page.items.push_back(connector_from(row));
                                             }
                                             return page;
                                         }),
                      "list_connectors");
}

api::ports::Outcome<ConnectorRow> PgTicketDesk::connector(const Caller& caller, const std::string& name) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read, [&](TenantTransaction& transaction) { return read_connector(transaction, name); }),
                      "find_connector");
}

api::ports::Outcome<ConnectorRow> PgTicketDesk::put_connector(const Caller& caller, const ConnectorRow& wanted, const std::optional<std::string>& secrets_json,
                                                              std::optional<std::int64_t> revision) {
    std::optional<std::string> sealed, names;
    if (secrets_json) {
        std::vector<std::string> all;
        for (const auto& [name, values] : secrets_from_text(*secrets_json)) all.push_back(name);
        sealed = hexadecimal(box_.seal(caller.tenant, wanted.name, *secrets_json));
        names = array_literal(all);
    }
    const bool enabled = nlohmann::json::parse(wanted.document_json).value("enabled", true);
    auto stored = tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) -> StoreResult<ConnectorRow> {
        const auto counted = transaction.exec_params1(count_sql, wanted.name);
        if (counted[1].as<std::int64_t>() == 0 && counted[0].as<std::int64_t>() >= most_connectors) {
            return StoreError{StoreErrorCode::invalid, fmt::format("a tenant has at most {} connectors", most_connectors)};
        }
        if (revision && *revision > 0 && counted[1].as<std::int64_t>() == 0) return no_connector(wanted.name);
        const auto rows =
            transaction.exec_params(put_sql, caller.tenant.value(), wanted.name, enabled, wanted.document_json, sealed, names, caller.key_id, revision);
        if (rows.empty()) return StoreError{StoreErrorCode::stale, "the connector was changed meanwhile"};
        transaction.exec_params(fresh_state_sql, caller.tenant.value(), wanted.name);
        return read_connector(transaction, wanted.name);
    });
    if (stored) after_commit(caller, changed_);
    return to_outcome(std::move(stored), "put_connector");
}

api::ports::Outcome<bool> PgTicketDesk::remove_connector(const Caller& caller, const std::string& name, std::optional<std::int64_t> revision) {
    auto removed = tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) -> StoreResult<bool> {
        const auto known = read_connector(transaction, name);
        if (!known) return known.error();
        const auto gone = transaction.exec_params("DELETE FROM connector WHERE name = $1 AND ($2::int8 IS NULL OR revision = $2)", name, revision);
        if (gone.affected_rows() == 0) return StoreError{StoreErrorCode::stale, "the connector was changed meanwhile"};
        transaction.exec_params("DELETE FROM outbox WHERE connector = $1", name);
        transaction.exec_params("DELETE FROM ticket WHERE connector = $1", name);
        return true;
    });
    if (removed) after_commit(caller, changed_);
    return to_outcome(std::move(removed), "remove_connector");
}

api::ports::Outcome<ConnectorTest> PgTicketDesk::test_connector(const Caller& caller, const std::string& name) {
    const std::unique_lock testing{testing_, std::try_to_lock};
    if (!testing) return api::ports::Failure{api::ports::FailureCode::unavailable, "another connector is being tested: try again in a moment"};
    TicketQueue queue{pool_, caller.tenant, name, ""};
    const auto served = queue.load(box_);
    if (!served && served.error().code == StoreErrorCode::invalid) return ConnectorTest{false, served.error().detail};
    if (!served) return to_failure(served.error(), "test_connector");
    std::vector<tickets::Exchanged> exchanged;
    const auto tested = tester_(caller.tenant, *served, exchanged);
    auto noted = tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) {
        for (const auto& line : exchanged) add_delivery(transaction, caller.tenant, name, std::nullopt, std::nullopt, 1, line);
        if (tested.ok) transaction.exec_params(running_sql, name);
        else transaction.exec_params(test_failed_sql, name, tested.detail);
        return tested;
    });
    if (noted) after_commit(caller, changed_);
    return to_outcome(std::move(noted), "test_connector");
}

api::ports::Outcome<Page<TicketRow>> PgTicketDesk::tickets(const Caller& caller, const TicketFilter& filter, const PageRequest& request) {
    static const Statement listed{"tickets_listed", fmt::format(R"(
        SELECT {} FROM ticket t
        WHERE t.id < $1 AND ($2::text[] IS NULL OR t.connector = ANY($2)) AND ($3::text[] IS NULL OR t.state = ANY($3)) AND ($4::int8 IS NULL OR t.incident = $4)
        ORDER BY t.id DESC LIMIT $5)",
                                                                ticket_columns)};
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](TenantTransaction& transaction) -> StoreResult<Page<TicketRow>> {
                                             const auto before = id_before(request);
                                             if (!before) return before.error();
                                             std::vector<std::string> states;
                                             for (const auto state : filter.states) states.push_back(ticket_state_text(state));
                                             const auto incident = filter.incident ? std::optional{std::to_string(filter.incident->value())} : std::nullopt;
                                             return page_of<TicketRow>(
                                                 transaction.rows(listed, *before, filter_literal(filter.connectors), filter_literal(states), incident,
                                                                  static_cast<std::int64_t>(request.limit + 1)),
                                                 request.limit, &ticket_from);
                                         }),
                      "list_tickets");
}

api::ports::Outcome<std::map<std::int64_t, std::vector<TicketRow>>> PgTicketDesk::tickets_of(const Caller& caller,
                                                                                             const std::vector<engine::IncidentNumber>& incidents) {
    static const Statement linked{"tickets_linked",
                                  fmt::format("SELECT {} FROM ticket t WHERE t.incident = ANY($1::int8[]) ORDER BY t.incident, t.connector", ticket_columns)};
    std::vector<std::int64_t> numbers;
    for (const auto number : incidents) numbers.push_back(number.value());
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::look_up,
                                         [&](TenantTransaction& transaction) {
                                             std::map<std::int64_t, std::vector<TicketRow>> found;
                                             for (const auto& row : transaction.rows(linked, array_literal(numbers))) {
                                                 auto ticket = ticket_from(row);
                                                 auto& of_incident = found[ticket.incident.value()];
                                                 if (of_incident.size() < api::tickets::most_links) of_incident.push_back(std::move(ticket));
                                             }
                                             return found;
                                         }),
                      "tickets_of_incidents");
}

api::ports::Outcome<std::vector<api::tickets::Kin>> PgTicketDesk::kin(const Caller& caller, const std::string& connector, engine::IncidentNumber incident) {
    return to_outcome(TicketQueue{pool_, caller.tenant, connector, ""}.kin(incident), "kin_of_ticket");
}

api::ports::Outcome<TicketRow> PgTicketDesk::open_ticket(const Caller& caller, engine::IncidentNumber incident, const std::string& connector) {
    auto opened = tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) -> StoreResult<TicketRow> {
        const auto known = transaction.exec_params(incident_sql, incident.value());
        if (known.empty()) return StoreError{StoreErrorCode::not_found, fmt::format("there is no incident {}", incident.value())};
        if (!known[0][1].is_null()) return StoreError{StoreErrorCode::refused_by_engine, fmt::format("the incident was merged into {}", known[0][1].c_str())};
        if (!transaction.exec_params1(exists_sql, connector)[0].as<bool>()) {
            return StoreError{StoreErrorCode::invalid, fmt::format("there is no connector {}", connector), "", "/connector"};
        }
        const auto id =
            transaction.exec_params1(open_sql, caller.tenant.value(), connector, incident.value(), known[0][0].as<std::int64_t>())[0].as<std::int64_t>();
        transaction.exec_params(awake_sql, connector);
        return ticket_from(transaction.exec_params1(fmt::format("SELECT {} FROM ticket t WHERE t.id = $1", ticket_columns), id));
    });
    if (opened) after_commit(caller, changed_);
    return to_outcome(std::move(opened), "open_ticket");
}

api::ports::Outcome<TicketRow> PgTicketDesk::sync_ticket(const Caller& caller, std::int64_t id) {
    auto ticket = tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) { return try_again(transaction, id); });
    if (ticket) after_commit(caller, changed_);
    return to_outcome(std::move(ticket), "sync_ticket");
}

api::ports::Outcome<Page<DeliveryRow>> PgTicketDesk::deliveries(const Caller& caller, const DeliveryFilter& filter, const PageRequest& request) {
    static const Statement listed{"deliveries_listed", fmt::format(R"(
        SELECT {} FROM delivery d
        WHERE d.id < $1 AND ($2::text[] IS NULL OR d.connector = ANY($2)) AND ($3::int8 IS NULL OR d.ticket = $3) AND (NOT $4 OR d.failure <> '')
        ORDER BY d.id DESC LIMIT $5)",
                                                                   delivery_columns)};
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](TenantTransaction& transaction) -> StoreResult<Page<DeliveryRow>> {
                                             const auto before = id_before(request);
                                             if (!before) return before.error();
                                             return page_of<DeliveryRow>(transaction.rows(listed, *before, filter_literal(filter.connectors), filter.ticket,
                                                                                          filter.failed_only, static_cast<std::int64_t>(request.limit + 1)),
                                                                         request.limit, &delivery_from);
                                         }),
                      "list_deliveries");
}

api::ports::Outcome<TicketRow> PgTicketDesk::retry_delivery(const Caller& caller, std::int64_t id) {
    auto ticket = tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) -> StoreResult<TicketRow> {
        const auto rows = transaction.exec_params("SELECT ticket FROM delivery WHERE id = $1", id);
        if (rows.empty()) return StoreError{StoreErrorCode::not_found, fmt::format("there is no delivery {}", id)};
        if (rows[0][0].is_null()) return StoreError{StoreErrorCode::refused_by_engine, "this was a test or a look for changes, and no ticket's"};
        return try_again(transaction, rows[0][0].as<std::int64_t>());
    });
    if (ticket) after_commit(caller, changed_);
    return to_outcome(std::move(ticket), "retry_delivery");
}

}  // namespace catenary::server::pg
