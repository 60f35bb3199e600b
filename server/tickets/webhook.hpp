#pragma once

#include "server/tickets/signatures.hpp"
#include "server/tickets/ticket_system.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::tickets {

/// Posts events as the Standard Webhooks specification says (https://www.standardwebhooks.com): `webhook-id` stays the same for every attempt of an event,
/// `webhook-signature` holds one signature for each secret, so that secrets can be replaced while both are good.
class Webhook final : public TicketSystem {
public:
    using Seconds = std::function<std::int64_t()>;
    /// `clock`: seconds since 1970, for `webhook-timestamp`; the machine's when left out.
    Webhook(const api::tickets::Connector& connector, Wire& wire, Seconds clock = {});

    /// Posts an event `catenary.test`.
    Remote<std::string> test() override;
    Remote<RemoteTicket> deliver(const TicketOrder& order) override;
    Remote<std::vector<RemoteTicket>> changes_since(const std::string&) override { return std::vector<RemoteTicket>{}; }
    /// What the receiver reports of its own tickets, which it knows as `data.ticket` of our events.
    std::optional<engine::Result<HookNews>> parse_hook(const api::tickets::HookMessage& message, std::int64_t now) const override;
    /// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h: the schedule that the specification recommends.
    std::optional<std::chrono::milliseconds> wait_after(int attempts) const override;

private:
    Remote<std::string> post(std::string_view action, const std::string& id, const std::string& body);

    const api::tickets::Connector& connector_;
    Wire& wire_;
    Seconds clock_;
};

}  // namespace catenary::server::tickets
