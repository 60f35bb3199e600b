#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

// Tenants exist for the operator only: these two answer 403 to a key of any tenant but the first.

namespace catenary::api::handlers {

http::Response list_tenants(const http::Request& request, const Caller& caller, ports::Services& services);
/// Makes a tenant and its first key, of every scope, which is shown this once.
http::Response add_tenant(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
