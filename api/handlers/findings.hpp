#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

namespace catenary::api::handlers {

http::Response list_findings(const http::Request& request, const Caller& caller, ports::Services& services);
/// A superseded id keeps answering, with `superseded_by`.
http::Response get_finding(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
