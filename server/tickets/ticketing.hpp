#pragma once

#include "api/http/cursor.hpp"
#include "server/pg/control_log.hpp"
#include "server/pg/incident_store.hpp"
#include "server/pg/pool.hpp"
#include "server/pg/ticket_queue.hpp"
#include "server/tickets/address_rules.hpp"
#include "server/tickets/dispatcher.hpp"
#include "server/tickets/secret_box.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace catenary::server::tickets {

struct TicketingOptions {
    std::string lane_dsn;                     ///< acts as catenary_lane
    std::string api_dsn;                      ///< acts as catenary_api
    std::filesystem::path key_file;           ///< of SecretBox
    std::vector<engine::IpNetwork> networks;  ///< that connectors may talk to besides the public internet
    std::string ca_file;
    std::string process;            ///< for people: who serves a connector
    api::http::CursorKey secret{};  ///< the same for every process on one database; markers come from it
};

/// All of ticketing that is not a request: the dispatcher with what it needs, on connections of its own.
class Ticketing {
public:
    /// `nudge_lane`: told after each commit of a control entry. Throws std::runtime_error when the key file is no use.
    Ticketing(const TicketingOptions& options, pg::LaneProgress& progress, std::function<void()> nudge_lane);

    Dispatcher& dispatcher() { return dispatcher_; }
    const Dispatcher& dispatcher() const { return dispatcher_; }
    const SecretBox& box() const { return box_; }
    /// Asks the ticket system of a connector; for requests.
    api::tickets::ConnectorTest test(engine::TenantId tenant, const pg::ServedConnector& served, std::vector<Exchanged>& exchanged) const;

    /// What a hook of a connector tells, seen from now: TicketSystem::parse_hook.
    std::optional<engine::Result<HookNews>> read_hook(engine::TenantId tenant, const pg::ServedConnector& served,
                                                      const api::tickets::HookMessage& message) const;

private:
    std::string marker_prefix(engine::TenantId tenant) const;
    WorkerSetting setting(const TicketingOptions& options);

    api::http::CursorKey secret_;
    SecretBox box_;
    AddressRules rules_;
    OutboundLimits limits_;
    pg::Pool pool_;
    pg::IncidentStore incidents_;
    pg::PgControlLog control_;
    Dispatcher dispatcher_;  // last: it uses the others
};

}  // namespace catenary::server::tickets
