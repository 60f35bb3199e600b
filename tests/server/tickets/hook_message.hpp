#pragma once

#include "api/tickets/hook.hpp"

#include <cstdint>
#include <string>

namespace catenary::tests {

/// Seconds since 1970.
std::int64_t seconds_now();

/// A message by the Standard Webhooks specification.
api::tickets::HookMessage standard_message(const std::string& body, const std::string& id, std::int64_t at, const std::string& secret);

/// As Jira Cloud signs it.
api::tickets::HookMessage jira_message(const std::string& body, const std::string& delivery, const std::string& secret);

}  // namespace catenary::tests
