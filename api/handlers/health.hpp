#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

// What needs no key: is it alive, is it ready, what is it, what does it offer.

namespace catenary::api::handlers {

http::Response healthz(const http::Request& request, const Caller& caller, ports::Services& services);
/// 200 when it can ingest, correlate and read; else 503 that says what is missing.
http::Response readyz(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response version(const http::Request& request, const Caller& caller, ports::Services& services);
/// openapi.yaml as JSON.
http::Response openapi(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
