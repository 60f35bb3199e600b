#pragma once

#include "api/tickets/hook.hpp"
#include "engine/model/result.hpp"
#include "server/tickets/ticket_system.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace catenary::server::tickets {

/// A message by the Standard Webhooks specification, signed with one of the secrets:
///
///     {"type": "ticket.changed", "timestamp": "2026-03-05T10:00:00Z", "data": {"ticket": "42"}}
///
/// With `reports` also what becomes of it, since nobody can be asked: `status` (the receiver's own word), `closed` and, if wanted, `url`. Messages of another
/// type tell of no ticket. Empty when it is not genuine at `now`, in seconds since 1970; a fault when it is and cannot be read.
std::optional<engine::Result<HookNews>> standard_hook(const std::vector<std::string>& secrets, const api::tickets::HookMessage& message, std::int64_t now,
                                                      bool reports);

/// A webhook of Jira Cloud, signed with one of the secrets (X-Hub-Signature); the id of the issue is the ticket.
std::optional<engine::Result<HookNews>> jira_hook(const std::vector<std::string>& secrets, const api::tickets::HookMessage& message);

}  // namespace catenary::server::tickets
