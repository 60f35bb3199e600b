#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

// Chains of stages that are not whole, and what patterns have been doing.

namespace catenary::api::handlers {

/// Part-way, those that lack fewest stages first. One answer without further pages, since it is of one moment.
http::Response list_partials(const http::Request& request, const Caller& caller, ports::Services& services);
/// Over with one stage missing, the last to be over first.
http::Response list_near_misses(const http::Request& request, const Caller& caller, ports::Services& services);
/// Each version of a pattern that runs.
http::Response pattern_health(const http::Request& request, const Caller& caller, ports::Services& services);
/// The first stage of a pattern that failed for an entity in a span of time, and by how much.
http::Response why_not(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
