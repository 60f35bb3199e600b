#pragma once

#include "server/tickets/json_client.hpp"
#include "server/tickets/ticket_system.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::tickets {

/// Redmine by its REST API (tested with 5.0). It takes the same issue twice, drops what it does not know and answers 2xx to what it ignores; so an issue is
/// looked for by our marker in a custom field before it is made, and everything is read back after it was written.
class Redmine final : public TicketSystem {
public:
    Redmine(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix);

    Remote<std::string> test() override;
    Remote<RemoteTicket> deliver(const TicketOrder& order) override;
    Remote<std::vector<RemoteTicket>> changes_since(const std::string& seen) override;
    Remote<std::string> relate(const std::string& id, const std::string& marker, const std::vector<Related>& others) override;
    Remote<std::string> write_notes(const std::string& id, const std::string& marker, const std::vector<OwnNote>& notes) override;
    Remote<std::vector<RemoteNote>> notes_since(const std::string& id, const std::string& after) override;
    Remote<bool> set_by_us(const RemoteTicket& ticket) override;
    /// Redmine itself sends none; whatever runs beside it may, by the Standard Webhooks specification.
    std::optional<engine::Result<HookNews>> parse_hook(const api::tickets::HookMessage& message, std::int64_t now) const override;
    Remote<RemoteTicket> look(const std::string& id) override;

private:
    Remote<nlohmann::json> ask(std::string_view action, const std::string& path);
    Remote<nlohmann::json> write(std::string_view action, const std::string& method, const std::string& path, const nlohmann::json& body);
    /// Issues that carry the marker, the oldest first.
    Remote<std::vector<nlohmann::json>> find(const std::string& marker);
    Remote<RemoteTicket> create(const TicketOrder& order);
    Remote<RemoteTicket> update(const TicketOrder& order, const std::string& id);
    Remote<nlohmann::json> read(const std::string& id);
    /// The id of the account that the key is of; asked for once.
    Remote<std::string> our_account();
    /// With its "relations" or "journals".
    Remote<nlohmann::json> read_with(const std::string& id, std::string_view what);
    std::string marker_of(const nlohmann::json& issue) const;
    RemoteTicket ticket_from(const nlohmann::json& issue) const;

    const api::tickets::Connector& connector_;
    Wire& wire_;
    JsonClient client_;
    std::string marker_prefix_;
    std::string account_;  ///< our id there; "" until it was asked for
};

}  // namespace catenary::server::tickets
