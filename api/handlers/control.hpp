#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

namespace catenary::api::handlers {

/// POST /api/v1/watermark: event time has come this far, close what waits for it.
http::Response set_watermark(const http::Request& request, const Caller& caller, ports::Services& services);
/// GET /api/v1/diagnostics: why is nothing happening?
http::Response diagnostics(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
