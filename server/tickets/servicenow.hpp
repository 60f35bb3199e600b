#pragma once

#include "server/tickets/json_client.hpp"
#include "server/tickets/ticket_system.hpp"

#include <string>
#include <vector>

namespace catenary::server::tickets {

/// ServiceNow by its Table API; written by its description and tested against a fake. A condition of a query on a column that there is not is ignored, and so
/// is a field that there is not; so a record is looked for by our marker in `correlation_id`, what comes back is held against it, and everything is read
/// back. To resolve takes a close code and notes, or a data policy refuses with 403.
class ServiceNow final : public TicketSystem {
public:
    ServiceNow(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix);

    Remote<std::string> test() override;
    Remote<RemoteTicket> deliver(const TicketOrder& order) override;
    Remote<std::vector<RemoteTicket>> changes_since(const std::string& seen) override;
    Remote<bool> set_by_us(const RemoteTicket& ticket) override;
    /// A business rule there may send one, by the Standard Webhooks specification.
    std::optional<engine::Result<HookNews>> parse_hook(const api::tickets::HookMessage& message, std::int64_t now) const override;
    Remote<RemoteTicket> look(const std::string& id) override;

private:
    /// Records of the table that a query finds.
    Remote<std::vector<nlohmann::json>> list(std::string_view action, const std::string& query, std::size_t most, std::size_t offset = 0);
    Remote<nlohmann::json> write(std::string_view action, const std::string& method, const std::string& id, const nlohmann::json& record);
    /// Records that carry the marker, the oldest first.
    Remote<std::vector<nlohmann::json>> find(const std::string& marker);
    Remote<nlohmann::json> read(const std::string& id);
    Remote<RemoteTicket> create(const TicketOrder& order);
    Remote<RemoteTicket> update(const TicketOrder& order, const std::string& id);
    /// What a record of the incident holds, whether it is new or not.
    nlohmann::json record_of(const TicketOrder& order) const;
    /// Adds a state and what ServiceNow requires for it.
    void add_state(const TicketOrder& order, const std::string& state, nlohmann::json& record) const;
    std::string untaken(const TicketOrder& order, const nlohmann::json& shown, const std::string& state) const;
    RemoteTicket ticket_from(const nlohmann::json& record) const;
    std::string path(const std::string& id, const std::string& parameters) const;

    const api::tickets::Connector& connector_;
    Wire& wire_;
    JsonClient client_;
    std::string marker_prefix_;
};

}  // namespace catenary::server::tickets
