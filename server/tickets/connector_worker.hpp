#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/ticket_queue.hpp"
#include "server/tickets/outbound.hpp"
#include "server/tickets/ticket_system.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>

namespace catenary::server::tickets {

/// What every connector of a process shares. All of it outlives the workers.
struct WorkerSetting {
    pg::Pool& pool;
    api::ports::IncidentReader& incidents;
    api::ports::ControlLog& control;
    const SecretBox& box;
    const AddressRules& rules;
    OutboundLimits limits;
    std::string owner;                                           ///< of this process, unlike that of any other
    std::function<std::string(engine::TenantId)> marker_prefix;  ///< what the markers of a tenant begin with
    std::chrono::milliseconds lease{15'000};
    std::chrono::milliseconds settle{5'000};  ///< what was interrupted is looked for after so long: the other side may still be at it
};

/// What a worker did, for metrics.
struct WorkerCounts {
    std::atomic<std::int64_t> delivered{0}, failed{0}, retried{0}, doubtful{0}, polls{0}, remote_changes{0}, notes_taken{0}, notes_cut{0}, notes_left{0},
        hooks_followed{0}, hooks_retried{0}, hooks_left{0};
};

/// Serves one connector of one tenant: takes what the lanes left, sends what is due, looks for changes. One thread, but for `cut`.
///
///     hold the lease ─▶ absorb the outbox ─▶ poll ─▶ send what is due, one after the other, until the next poll is
class ConnectorWorker {
public:
    ConnectorWorker(const WorkerSetting& setting, engine::TenantId tenant, std::string name, WorkerCounts& counts);

    /// One round; `go_on` is asked before each ticket. How long nothing will be due, at most a few seconds: what changes is told by the dispatcher.
    std::chrono::milliseconds run_once(const std::function<bool()>& go_on);
    /// Its row was changed: load it again. Any thread.
    void refresh() { stale_ = true; }
    /// Ends a request under way. Any thread.
    void cut() { outbound_.cut(); }

private:
    bool load(std::int64_t epoch);
    /// Whether there may be more that is due.
    bool send_next(const pg::ConnectorHold& held);
    Remote<RemoteTicket> deliver(const pg::TicketJob& job, pg::TicketResult& result);
    /// What a ticket that shows its incident tells besides: ties to other tickets, notes. What was not taken over.
    Remote<std::string> complete(const TicketOrder& order, const std::string& id, const pg::TicketJob& job, pg::TicketResult& result);
    /// Whoever wrote a comment, it came through this connector.
    bool is_own_comment(const std::string& actor) const;
    /// People's notes on a ticket become comments; false when they could not be read now, and may be later.
    bool take_notes(std::int64_t epoch, const std::string& id);
    std::string comment_text(const RemoteNote& note);
    void judge(const RemoteFault& fault, const pg::TicketJob& job, pg::TicketResult& result);
    void poll(const pg::ConnectorHold& held);
    /// How long to rest after a poll that took `took`, so that the next one *ends* within the interval after this one began: what changed just behind this
    /// one's look is then followed within one interval. At least half of the interval.
    std::chrono::milliseconds rest_between_polls(std::chrono::milliseconds every, std::chrono::milliseconds took);
    /// What came by hooks; whether there may be more.
    bool follow_hooks(std::int64_t epoch);
    /// False when it could not be followed now.
    bool follow_hook(std::int64_t epoch, const pg::WaitingHook& hook);
    Remote<RemoteTicket> look(const std::string& id);
    /// What the ticket system tells of one of our tickets; false when it could not be followed now.
    bool follow(std::int64_t epoch, const RemoteTicket& remote);
    bool follow_status(pg::KnownTicket& ticket, const RemoteTicket& remote);
    std::chrono::milliseconds with_jitter(std::chrono::milliseconds wait);
    api::Caller caller() const;

    const WorkerSetting& setting_;
    engine::TenantId tenant_;
    std::string name_;
    WorkerCounts& counts_;
    Outbound outbound_;
    pg::TicketQueue queue_;
    std::atomic<bool> stale_ = true;
    std::optional<pg::ServedConnector> served_;
    std::unique_ptr<Wire> wire_;
    std::unique_ptr<TicketSystem> system_;
    int failures_ = 0;                   ///< of the connector in a row
    std::map<std::string, int> unread_;  ///< looks in a row that failed to read a ticket's notes
    std::minstd_rand random_;
    std::chrono::steady_clock::time_point trimmed_{}, next_poll_{};
    std::chrono::milliseconds poll_takes_{0};  ///< the slowest of late, fading
};

}  // namespace catenary::server::tickets
