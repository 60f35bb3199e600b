#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

namespace catenary::api::handlers {

/// GET /api/v1/signals. Posting them is the session's own path (api/ingest).
http::Response list_signals(const http::Request& request, const Caller& caller, ports::Services& services);

/// GET /api/v1/signals/{source}/{id}: as posted, and the findings that rest on it where the caller may read those.
http::Response get_signal(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
