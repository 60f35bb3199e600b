#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

namespace catenary::api::handlers {

/// What ships and what the tenant has posted, by id.
http::Response list_patterns(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response get_pattern(const http::Request& request, const Caller& caller, ports::Services& services);
/// Stores version 1 and puts it in force; 409 when the id is taken, by what ships too.
http::Response add_pattern(const http::Request& request, const Caller& caller, ports::Services& services);
/// Says what `add_pattern` would store, and stores nothing.
http::Response validate_pattern(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
