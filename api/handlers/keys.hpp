#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

namespace catenary::api::handlers {

/// Keys of the caller's tenant; secrets are never shown again.
http::Response list_keys(const http::Request& request, const Caller& caller, ports::Services& services);
/// {"scopes": [...], "sources"?: [...], "expires"?: time}; the key is shown this once.
http::Response add_key(const http::Request& request, const Caller& caller, ports::Services& services);
/// {"overlap"?: span, "expires"?: time}; a new key like the old one, which goes on working for `overlap` (24h).
http::Response rotate_key(const http::Request& request, const Caller& caller, ports::Services& services);
/// 204; the key that asks cannot remove itself, so that a tenant does not lock itself out by a slip.
http::Response remove_key(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
