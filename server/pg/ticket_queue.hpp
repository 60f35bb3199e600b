#pragma once

#include "api/tickets/connector.hpp"
#include "engine/lane/control.hpp"
#include "engine/model/ids.hpp"
#include "server/pg/pool.hpp"
#include "server/tickets/secret_box.hpp"
#include "server/tickets/ticket_system.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace catenary::server::pg {

class TenantTransaction;

/// A connector's row as its dispatcher needs it.
struct ServedConnector {
    api::tickets::Connector connector;
    api::tickets::Secrets secrets;
};

/// Our right to serve a connector, and how it does.
struct ConnectorHold {
    std::int64_t epoch = 0;
    std::string paused;                ///< "": it runs
    std::chrono::milliseconds rest{};  ///< until the breaker closes; 0: it is closed
    int failures = 0;                  ///< since the last success
    bool poll_due = false;
    std::string polled;
};

/// A ticket that is to be sent.
struct TicketJob {
    std::int64_t id = 0;
    engine::IncidentNumber incident{0};
    std::int64_t delivered = 0;
    int attempts = 0;  ///< this one included
    std::string external_id, external_status, external_seen, told_status;
    std::string told;               ///< of the incident's state, "" nothing
    std::int64_t told_comment = 0;  ///< position of the last comment that the ticket has
};

/// What an attempt came to.
struct TicketResult {
    std::string state;  ///< done, pending, in_doubt, failed, gone
    std::string detail;
    std::chrono::milliseconds wait{};  ///< before the next attempt
    // of a success
    std::int64_t delivered = 0;  ///< revision that the ticket shows now
    std::string external_id, external_url, external_status, external_seen;
    std::string told_status, told;
    std::int64_t told_comment = 0;
    bool has_more = false;  ///< there are further comments: due again
    // of the connector
    bool succeeded = false;
    std::optional<std::string> pause;  ///< why nothing more is sent, unless the connector has changed
    std::chrono::milliseconds rest{};  ///< the breaker opens for so long; 0: it does not
};

/// A ticket as it stands beside the ticket system's word of it.
struct KnownTicket {
    std::int64_t id = 0;
    engine::IncidentNumber incident{0};
    std::string external_status, external_seen, told_status;
    std::string external_url;
    std::string seen_note;  ///< id of the last note that the incident has
};

/// A hook that waits.
struct WaitingHook {
    std::string id, ticket;
    std::optional<tickets::RemoteTicket> report;  ///< empty: the ticket is looked at
    int attempts = 0;
};

/// A comment on an incident, as its history has it.
struct IncidentNote {
    std::int64_t position = 0;
    std::string actor, text;
};

/// The tickets of one connector, for the process that serves it. Every write names the epoch under which it is made; none is made once another process has
/// taken over. Each method is one transaction of the connector's tenant.
class TicketQueue {
public:
    /// `owner`: of this process, unlike that of any other.
    TicketQueue(Pool& pool, engine::TenantId tenant, std::string connector, std::string owner)
        : pool_{pool}, tenant_{tenant}, name_{std::move(connector)}, owner_{std::move(owner)} {}

    /// invalid when it cannot be read, or its secrets cannot be opened; not_found when it is gone.
    StoreResult<ServedConnector> load(const tickets::SecretBox& box);
    /// Takes the connector where nobody holds it, or keeps it; empty while another process holds it. What was being sent and is not any more is in doubt
    /// from then on, and due after `settle`.
    StoreResult<std::optional<ConnectorHold>> hold(std::chrono::milliseconds lease, std::chrono::milliseconds settle);
    /// Takes what the lanes have left in the outbox; how many rows.
    StoreResult<std::int64_t> absorb();
    /// The next ticket that is due, marked as being sent.
    StoreResult<std::optional<TicketJob>> next(std::int64_t epoch);
    /// What the incident was merged or split with, and those incidents' tickets of this connector; at most 50 of each.
    StoreResult<std::vector<api::tickets::Kin>> kin(engine::IncidentNumber incident);
    /// Comments behind this position, in order, at most 50.
    StoreResult<std::vector<IncidentNote>> comments(engine::IncidentNumber incident, std::int64_t after);
    /// A note on the ticket was seen, and becomes a comment where there is one: both at once, so that it becomes one only once. `stale` also when the
    /// ticket's last note is another one by now.
    StoreResult<void> take_note(std::int64_t epoch, const KnownTicket& ticket, const std::string& note, const std::optional<engine::IncidentComment>& comment);
    /// `stale` when another process serves the connector by now; then nothing is written.
    StoreResult<void> finish(std::int64_t epoch, const TicketJob& job, const TicketResult& result, const std::vector<tickets::Exchanged>& exchanged);
    StoreResult<std::optional<KnownTicket>> find(const std::string& external_id);
    /// Notes what the ticket system says of a ticket.
    StoreResult<void> note_remote(std::int64_t epoch, const KnownTicket& ticket);
    /// A poll ended: the next one is due after `wait`. With a `failure`, `polled` stays; without one, the failures in a row end.
    StoreResult<void> note_poll(std::int64_t epoch, const std::string& polled, std::chrono::milliseconds wait, const std::string& failure,
                                const std::vector<tickets::Exchanged>& exchanged);
    /// Nothing more is sent until somebody has looked; nothing happens where somebody changed the connector since `load`.
    StoreResult<void> pause(std::int64_t epoch, const std::string& why);
    /// Takes a hook that is genuine: false when that delivery is known. unavailable while too many wait.
    StoreResult<bool> add_hook(const tickets::HookNews& news);
    /// The oldest that wait, at most 100.
    StoreResult<std::vector<WaitingHook>> hooks();
    /// It was followed, or (`again`) could not be now.
    StoreResult<void> note_hook(std::int64_t epoch, const std::string& id, bool again, const std::vector<tickets::Exchanged>& exchanged);
    /// Drops what the delivery log no longer keeps: older than 30 days, or beyond the newest 20,000 of the connector.
    StoreResult<void> trim_log();

private:
    StoreResult<void> fenced(TenantTransaction& transaction, std::int64_t epoch) const;
    void log(TenantTransaction& transaction, const TicketJob* job, const std::vector<tickets::Exchanged>& exchanged) const;

    Pool& pool_;
    engine::TenantId tenant_;
    std::string name_;
    std::string owner_;
    std::int64_t served_revision_ = 0;  ///< of the connector, as `load` found it; 0: it did not
};

/// Secrets as they are sealed: a JSON object of lists. Throws std::invalid_argument on anything else.
api::tickets::Secrets secrets_from_text(std::string_view text);

/// Writes one exchange to the delivery log.
void add_delivery(TenantTransaction& transaction, engine::TenantId tenant, const std::string& connector, std::optional<std::int64_t> ticket,
                  std::optional<std::int64_t> incident, int attempt, const tickets::Exchanged& exchanged);

}  // namespace catenary::server::pg
