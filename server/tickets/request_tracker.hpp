#pragma once

#include "server/tickets/json_client.hpp"
#include "server/tickets/ticket_system.hpp"

#include <string>
#include <vector>

namespace catenary::server::tickets {

/// Request Tracker by its REST 2.0 (tested with 5.0.3). It takes the same ticket twice, drops a custom field that it does not know and answers 200 to a state
/// that it refuses; so a ticket is looked for by our marker in a custom field before it is made, none is made while the queue has no such field, and
/// everything is read back. What a ticket was made with cannot be changed: changes are told in notes, which say in their subjects which revision they tell of.
class RequestTracker final : public TicketSystem {
public:
    RequestTracker(const api::tickets::Connector& connector, Wire& wire, std::string marker_prefix);

    Remote<std::string> test() override;
    Remote<RemoteTicket> deliver(const TicketOrder& order) override;
    Remote<std::vector<RemoteTicket>> changes_since(const std::string& seen) override;
    Remote<bool> set_by_us(const RemoteTicket& ticket) override;
    /// A scrip there may send one, by the Standard Webhooks specification.
    std::optional<engine::Result<HookNews>> parse_hook(const api::tickets::HookMessage& message, std::int64_t now) const override;
    Remote<RemoteTicket> look(const std::string& id) override;

private:
    /// That the queue has the field which holds our markers. Asked once, until it has.
    Remote<void> check_field();
    /// Ids of tickets that carry the marker, the oldest first.
    Remote<std::vector<std::string>> find(const std::string& marker);
    Remote<nlohmann::json> read(const std::string& id);
    Remote<RemoteTicket> create(const TicketOrder& order);
    Remote<RemoteTicket> update(const TicketOrder& order, const std::string& id);
    /// Brings subject, priority and state up to date under the ticket's ETag. The ticket as it was before.
    Remote<nlohmann::json> change(const TicketOrder& order, const std::string& id, const api::tickets::TicketText& text);
    bool tells_status(const TicketOrder& order, const nlohmann::json& ticket) const;
    /// The ticket's history, newest first, as far as one page goes.
    Remote<nlohmann::json> history(const std::string& id);
    /// Whether the ticket shows this revision already: an earlier attempt has arrived, and only its reply was lost.
    Remote<bool> shows(const TicketOrder& order, const std::string& id);
    /// Adds what changed and is in this state group ("__Active__", "__Inactive__").
    Remote<void> add_changed(const std::string& group, const std::string& since, std::vector<RemoteTicket>& changed);

    std::string marker_of(const nlohmann::json& ticket) const;
    RemoteTicket ticket_from(const nlohmann::json& ticket) const;

    const api::tickets::Connector& connector_;
    Wire& wire_;
    JsonClient client_;
    std::string marker_prefix_;
    bool field_checked_ = false;
};

}  // namespace catenary::server::tickets
