#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"
#include "server/pg/ticket_queue.hpp"
#include "server/tickets/secret_box.hpp"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace catenary::server::pg {

/// Connectors, tickets and the delivery log for requests.
class PgTicketDesk final : public api::ports::TicketDesk {
public:
    /// Asks the ticket system of a connector of the tenant; fills in what was exchanged.
    using Tester = std::function<api::tickets::ConnectorTest(engine::TenantId, const ServedConnector&, std::vector<tickets::Exchanged>&)>;
    /// What a hook of the connector tells: TicketSystem::parse_hook.
    using HookReader =
        std::function<std::optional<engine::Result<tickets::HookNews>>(engine::TenantId, const ServedConnector&, const api::tickets::HookMessage&)>;
    /// `changed`: told after each commit of what a dispatcher should look at; may be empty.
    PgTicketDesk(Pool& pool, const tickets::SecretBox& box, Tester tester, HookReader hook_reader, std::function<void()> changed)
        : pool_{pool}, box_{box}, tester_{std::move(tester)}, hook_reader_{std::move(hook_reader)}, changed_{std::move(changed)} {}

    api::ports::Outcome<api::ports::Page<api::tickets::ConnectorRow>> connectors(const api::Caller& caller, const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::tickets::ConnectorRow> connector(const api::Caller& caller, const std::string& name) override;
    api::ports::Outcome<api::tickets::ConnectorRow> put_connector(const api::Caller& caller, const api::tickets::ConnectorRow& wanted,
                                                                  const std::optional<std::string>& secrets_json,
                                                                  std::optional<std::int64_t> revision) override;
    api::ports::Outcome<bool> remove_connector(const api::Caller& caller, const std::string& name, std::optional<std::int64_t> revision) override;
    /// One at a time in a process, since it keeps a worker thread: another one is told to come later.
    api::ports::Outcome<api::tickets::ConnectorTest> test_connector(const api::Caller& caller, const std::string& name) override;
    api::ports::Outcome<api::ports::Page<api::tickets::TicketRow>> tickets(const api::Caller& caller, const api::tickets::TicketFilter& filter,
                                                                           const api::ports::PageRequest& request) override;
    api::ports::Outcome<std::map<std::int64_t, std::vector<api::tickets::TicketRow>>> tickets_of(const api::Caller& caller,
                                                                                                 const std::vector<engine::IncidentNumber>& incidents) override;
    api::ports::Outcome<api::tickets::TicketRow> open_ticket(const api::Caller& caller, engine::IncidentNumber incident, const std::string& connector) override;
    api::ports::Outcome<api::tickets::TicketRow> sync_ticket(const api::Caller& caller, std::int64_t id) override;
    api::ports::Outcome<api::ports::Page<api::tickets::DeliveryRow>> deliveries(const api::Caller& caller, const api::tickets::DeliveryFilter& filter,
                                                                                const api::ports::PageRequest& request) override;
    /// At most a few at once, since nobody needs a key for it: others are told to come later.
    api::ports::Outcome<bool> take_hook(const std::string& id, const api::tickets::HookMessage& message) override;

    struct HookUsage {
        std::int64_t taken = 0, known = 0, not_genuine = 0, refused = 0;
    };
    /// Any thread.
    HookUsage hook_usage() const { return {taken_, known_, not_genuine_, refused_}; }
    api::ports::Outcome<api::tickets::TicketRow> retry_delivery(const api::Caller& caller, std::int64_t id) override;

private:
    /// Empty when it is not genuine.
    StoreResult<std::optional<bool>> add_hook(const std::string& id, const api::tickets::HookMessage& message);

    Pool& pool_;
    const tickets::SecretBox& box_;
    Tester tester_;
    HookReader hook_reader_;
    std::function<void()> changed_;
    std::mutex testing_;
    std::atomic<int> taking_ = 0;
    std::atomic<std::int64_t> taken_ = 0, known_ = 0, not_genuine_ = 0, refused_ = 0;
};

}  // namespace catenary::server::pg
