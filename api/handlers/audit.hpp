#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

namespace catenary::api::handlers {

/// Who changed what, newest first.
http::Response list_audit(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
