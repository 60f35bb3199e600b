#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

namespace catenary::api::handlers {

/// GET /api/v1/settings: what the tenant may set, each with value, default, range and meaning.
http::Response get_settings(const http::Request& request, const Caller& caller, ports::Services& services);
/// PUT /api/v1/settings: members left out keep their value, null goes back to the default; If-Match is honoured, every fault is said at once.
http::Response change_settings(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
