#include "server/pg/ticket_queue.hpp"

#include "api/tickets/connector_document.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <exception>

namespace catenary::server::pg {
namespace {

using std::chrono::milliseconds;

constexpr const char* load_sql = "SELECT document, secrets, revision FROM connector WHERE name = $1";
constexpr const char* hold_sql = R"(
    UPDATE connector_state
    SET owner = $2, epoch = epoch + CASE WHEN owner = $2 THEN 0 ELSE 1 END, lease_until = clock_timestamp() + make_interval(secs => $3)
    WHERE name = $1 AND (owner = $2 OR lease_until < clock_timestamp())
    RETURNING epoch, paused, CASE WHEN open_until > clock_timestamp() THEN extract(epoch FROM open_until - clock_timestamp())::float8 ELSE 0 END, failures,
              poll_due <= clock_timestamp(), polled)";
constexpr const char* interrupted_sql = R"(
    UPDATE ticket SET state = 'in_doubt', due = clock_timestamp() + make_interval(secs => $2), changed = clock_timestamp(),
                      detail = 'the delivery was interrupted: whether it arrived is not known yet'
    WHERE connector = $1 AND state = 'sending' RETURNING id, incident, attempts)";
constexpr const char* absorb_sql = R"(
    WITH taken AS (
        DELETE FROM outbox o USING (SELECT incident, revision FROM outbox WHERE connector = $1 ORDER BY incident, revision LIMIT 1000) n
        WHERE o.connector = $1 AND o.incident = n.incident AND o.revision = n.revision RETURNING o.incident, o.revision, o.cause),
    latest AS (SELECT incident, max(revision) AS revision, (array_agg(cause ORDER BY revision))[1] AS cause FROM taken GROUP BY incident),
    kept AS (
        INSERT INTO ticket AS t (tenant, connector, incident, state, cause, wanted)
        SELECT current_tenant(), $1, incident, 'pending', cause, revision FROM latest ORDER BY incident
        ON CONFLICT (tenant, connector, incident) DO UPDATE
        SET wanted = greatest(t.wanted, EXCLUDED.wanted), cause = EXCLUDED.cause, changed = clock_timestamp(),
            attempts = CASE WHEN t.state IN ('done', 'failed') THEN 0 ELSE t.attempts END,
            due = CASE WHEN t.state IN ('done', 'failed') THEN clock_timestamp() + interval '2 seconds' ELSE t.due END,
            state = CASE WHEN t.state IN ('done', 'failed') AND EXCLUDED.wanted > t.delivered THEN 'pending' ELSE t.state END)
    SELECT count(*) FROM taken)";
constexpr const char* fence_sql = "SELECT 1 FROM connector_state WHERE name = $1 AND epoch = $2 AND owner = $3 FOR SHARE";
constexpr const char* next_sql = R"(
    UPDATE ticket t SET state = 'sending', attempts = t.attempts + 1, epoch = $2, changed = clock_timestamp()
    FROM (SELECT id FROM ticket WHERE connector = $1 AND state IN ('pending', 'in_doubt') AND due <= clock_timestamp() ORDER BY due, id LIMIT 1) n
    WHERE t.id = n.id
    RETURNING t.id, t.incident, t.delivered, t.attempts, t.external_id, t.external_status, t.told_status, t.told, t.told_comment, t.external_seen)";
constexpr const char* success_sql = R"(
    UPDATE ticket SET state = CASE WHEN wanted > $2 OR $11 THEN 'pending' ELSE 'done' END, due = clock_timestamp() + interval '2 seconds', attempts = 0,
                      delivered = $2, external_id = $3, external_url = CASE WHEN $4 = '' THEN external_url ELSE $4 END, external_status = $5,
                      external_seen = $6, told_status = $7, detail = $8, told = $9, told_comment = $10, changed = clock_timestamp()
    WHERE id = $1 AND state = 'sending')";
constexpr const char* failure_sql = R"(
    UPDATE ticket SET state = $2, due = clock_timestamp() + make_interval(secs => $3), detail = $4, changed = clock_timestamp() WHERE id = $1 AND state = 'sending')";
constexpr const char* succeeded_sql = "UPDATE connector_state SET failures = 0, open_until = '-infinity', succeeded = clock_timestamp() WHERE name = $1";
constexpr const char* failed_sql = R"(
    UPDATE connector_state SET failures = failures + $2, failed = clock_timestamp(), failure = $3,
        open_until = CASE WHEN $4::float8 > 0 THEN clock_timestamp() + make_interval(secs => $4) ELSE open_until END
    WHERE name = $1)";
// Not when somebody changed the connector since it was loaded: what was wrong with it may be right by now. The fence was taken before, so that a change that
// is under way is either seen here or comes after this.
constexpr const char* pause_sql = R"(
    UPDATE connector_state SET paused = $2, failed = clock_timestamp(), failure = $2
    WHERE name = $1 AND paused <> $2 AND (SELECT revision FROM connector WHERE name = $1) = $3)";
constexpr const char* find_sql =
    "SELECT id, incident, external_status, external_seen, told_status, seen_note, external_url FROM ticket WHERE connector = $1 AND external_id = $2 AND "
    "external_id <> ''";
constexpr const char* remote_sql =
    "UPDATE ticket SET external_status = $2, external_seen = $3, told_status = $4, external_url = $5, changed = clock_timestamp() WHERE id = $1";
constexpr const char* poll_sql = R"(
    UPDATE connector_state SET polled = $2, poll_due = clock_timestamp() + make_interval(secs => $3),
        failed = CASE WHEN $4 = '' THEN failed ELSE clock_timestamp() END, failure = CASE WHEN $4 = '' THEN failure ELSE $4 END,
        failures = CASE WHEN $4 = '' THEN 0 ELSE failures END
    WHERE name = $1)";
constexpr const char* log_sql = R"(
    INSERT INTO delivery (tenant, connector, ticket, incident, attempt, action, method, url, request, status, reply, failure, micros)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13))";
constexpr const char* trim_sql = R"(
    DELETE FROM delivery WHERE connector = $1
      AND (at < clock_timestamp() - interval '30 days' OR id <= coalesce((SELECT id FROM delivery WHERE connector = $1 ORDER BY id DESC OFFSET 20000 LIMIT 1), 0)))";

// Ids of deliveries are kept for longer than anybody sends one again.
constexpr const char* trim_hooks_sql = "DELETE FROM hook WHERE connector = $1 AND worked < clock_timestamp() - interval '3 days'";

double seconds(milliseconds span) { return std::chrono::duration<double>(span).count(); }
milliseconds span_from(const pqxx::field& field) { return milliseconds{static_cast<std::int64_t>(field.as<double>() * 1000)}; }

}  // namespace

api::tickets::Secrets secrets_from_text(std::string_view text) {
    api::tickets::Secrets secrets;
    const auto body = nlohmann::json::parse(text, nullptr, false);
    if (!body.is_object()) throw std::invalid_argument("damaged secrets");
    for (const auto& [name, values] : body.items()) {
        for (const auto& value : values) {
            if (!value.is_string()) throw std::invalid_argument("damaged secrets");
            secrets[name].push_back(value.get<std::string>());
        }
    }
    return secrets;
}

void add_delivery(TenantTransaction& transaction, engine::TenantId tenant, const std::string& connector, std::optional<std::int64_t> ticket,
                  std::optional<std::int64_t> incident, int attempt, const tickets::Exchanged& exchanged) {
    transaction.exec_params(log_sql, tenant.value(), connector, ticket, incident, attempt, exchanged.action, exchanged.method, exchanged.url, exchanged.request,
                            exchanged.status, exchanged.reply, exchanged.failure, exchanged.took.count());
}

void TicketQueue::log(TenantTransaction& transaction, const TicketJob* job, const std::vector<tickets::Exchanged>& exchanged) const {
    for (const auto& line : exchanged) {
        add_delivery(transaction, tenant_, name_, job == nullptr ? std::nullopt : std::optional{job->id},
                     job == nullptr ? std::nullopt : std::optional{job->incident.value()}, job == nullptr ? 1 : job->attempts, line);
    }
}

StoreResult<void> TicketQueue::fenced(TenantTransaction& transaction, std::int64_t epoch) const {
    if (!transaction.exec_params(fence_sql, name_, epoch, owner_).empty()) return {};
    return StoreError{StoreErrorCode::stale, "another process serves the connector"};
}

StoreResult<ServedConnector> TicketQueue::load(const tickets::SecretBox& box) {
    return tenant_transaction(pool_, tenant_, Access::read, [&](TenantTransaction& transaction) -> StoreResult<ServedConnector> {
        const auto rows = transaction.exec_params(load_sql, name_);
        if (rows.empty()) return StoreError{StoreErrorCode::not_found, "there is no such connector any more"};
        served_revision_ = rows[0][2].as<std::int64_t>();
        ServedConnector served;
        try {
            served.connector = api::tickets::stored_connector(rows[0][0].c_str());
            if (!rows[0][1].is_null()) {
                const pqxx::binarystring sealed{rows[0][1]};
                const auto text = box.open(tenant_, name_, {reinterpret_cast<const char*>(sealed.data()), sealed.size()});
                if (!text)
                    return StoreError{StoreErrorCode::invalid,
                                      "its secrets were sealed under another key than this server's (connectors.key): give them again"};
                served.secrets = secrets_from_text(*text);
            }
        } catch (const std::invalid_argument& damaged) {
            return StoreError{StoreErrorCode::invalid, damaged.what()};
        }
        return served;
    });
}

StoreResult<std::optional<ConnectorHold>> TicketQueue::hold(milliseconds lease, milliseconds settle) {
    return tenant_transaction(pool_, tenant_, Access::write, [&](TenantTransaction& transaction) -> std::optional<ConnectorHold> {
        const auto rows = transaction.exec_params(hold_sql, name_, owner_, seconds(lease));
        if (rows.empty()) return std::nullopt;
        ConnectorHold held{rows[0][0].as<std::int64_t>(), rows[0][1].c_str(),    span_from(rows[0][2]),
                           rows[0][3].as<int>(),          rows[0][4].as<bool>(), rows[0][5].c_str()};
        for (const auto& row : transaction.exec_params(interrupted_sql, name_, seconds(settle))) {
            const tickets::Exchanged line{.action = "interrupted",
                                          .method = "",
                                          .url = "",
                                          .request = "",
                                          .status = 0,
                                          .reply = "",
                                          .failure = "the delivery was interrupted: whether it arrived is not known yet",
                                          .took = {}};
            add_delivery(transaction, tenant_, name_, row[0].as<std::int64_t>(), row[1].as<std::int64_t>(), row[2].as<int>(), line);
        }
        return held;
    });
}

StoreResult<std::int64_t> TicketQueue::absorb() {
    return tenant_transaction(pool_, tenant_, Access::write,
                              [&](TenantTransaction& transaction) { return transaction.exec_params1(absorb_sql, name_)[0].as<std::int64_t>(); });
}

StoreResult<std::optional<TicketJob>> TicketQueue::next(std::int64_t epoch) {
    return tenant_transaction(pool_, tenant_, Access::write, [&](TenantTransaction& transaction) -> StoreResult<std::optional<TicketJob>> {
        if (const auto ours = fenced(transaction, epoch); !ours) return ours.error();
        const auto rows = transaction.exec_params(next_sql, name_, epoch);
        if (rows.empty()) return std::optional<TicketJob>{};
        const auto& row = rows[0];
        TicketJob job;
        job.id = row[0].as<std::int64_t>();
        job.incident = engine::IncidentNumber{row[1].as<std::int64_t>()};
        job.delivered = row[2].as<std::int64_t>();
        job.attempts = row[3].as<int>();
        job.external_id = row[4].c_str();
        job.external_status = row[5].c_str();
        job.told_status = row[6].c_str();
        job.told = row[7].c_str();
        job.told_comment = row[8].as<std::int64_t>();
        job.external_seen = row[9].c_str();
        return std::optional{std::move(job)};
    });
}

StoreResult<void> TicketQueue::finish(std::int64_t epoch, const TicketJob& job, const TicketResult& result, const std::vector<tickets::Exchanged>& exchanged) {
    return tenant_transaction(pool_, tenant_, Access::write, [&](TenantTransaction& transaction) -> StoreResult<void> {
        if (const auto ours = fenced(transaction, epoch); !ours) return ours.error();
        log(transaction, &job, exchanged);
        if (result.state == "done") {
            transaction.exec_params(success_sql, job.id, result.delivered, result.external_id, result.external_url, result.external_status,
                                    result.external_seen, result.told_status, result.detail, result.told, result.told_comment, result.has_more);
        } else {
            transaction.exec_params(failure_sql, job.id, result.state, seconds(result.wait), result.detail);
        }
        if (result.succeeded) transaction.exec_params(succeeded_sql, name_);
        else transaction.exec_params(failed_sql, name_, result.state == "failed" || result.state == "gone" ? 0 : 1, result.detail, seconds(result.rest));
        if (result.pause) transaction.exec_params(pause_sql, name_, *result.pause, served_revision_);
        return {};
    });
}

StoreResult<std::optional<KnownTicket>> TicketQueue::find(const std::string& external_id) {
    return tenant_transaction(pool_, tenant_, Access::read, [&](TenantTransaction& transaction) -> std::optional<KnownTicket> {
        const auto rows = transaction.exec_params(find_sql, name_, external_id);
        if (rows.empty()) return std::nullopt;
        const auto& row = rows[0];
        KnownTicket ticket;
        ticket.id = row[0].as<std::int64_t>();
        ticket.incident = engine::IncidentNumber{row[1].as<std::int64_t>()};
        ticket.external_status = row[2].c_str();
        ticket.external_seen = row[3].c_str();
        ticket.told_status = row[4].c_str();
        ticket.seen_note = row[5].c_str();
        ticket.external_url = row[6].c_str();
        return ticket;
    });
}

StoreResult<void> TicketQueue::note_remote(std::int64_t epoch, const KnownTicket& ticket) {
    return tenant_transaction(pool_, tenant_, Access::write, [&](TenantTransaction& transaction) -> StoreResult<void> {
        if (const auto ours = fenced(transaction, epoch); !ours) return ours.error();
        transaction.exec_params(remote_sql, ticket.id, ticket.external_status, ticket.external_seen, ticket.told_status, ticket.external_url);
        return {};
    });
}

StoreResult<void> TicketQueue::note_poll(std::int64_t epoch, const std::string& polled, milliseconds wait, const std::string& failure,
                                         const std::vector<tickets::Exchanged>& exchanged) {
    return tenant_transaction(pool_, tenant_, Access::write, [&](TenantTransaction& transaction) -> StoreResult<void> {
        if (const auto ours = fenced(transaction, epoch); !ours) return ours.error();
        log(transaction, nullptr, exchanged);
        transaction.exec_params(poll_sql, name_, polled, seconds(wait), failure);
        return {};
    });
}

StoreResult<void> TicketQueue::pause(std::int64_t epoch, const std::string& why) {
    return tenant_transaction(pool_, tenant_, Access::write, [&](TenantTransaction& transaction) -> StoreResult<void> {
        if (const auto ours = fenced(transaction, epoch); !ours) return ours.error();
        transaction.exec_params(pause_sql, name_, why, served_revision_);
        return {};
    });
}

StoreResult<void> TicketQueue::trim_log() {
    return tenant_transaction(pool_, tenant_, Access::write, [&](TenantTransaction& transaction) {
        transaction.exec_params(trim_sql, name_);
        transaction.exec_params(trim_hooks_sql, name_);
    });
}

}  // namespace catenary::server::pg
