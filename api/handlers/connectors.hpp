#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

#include <nlohmann/json_fwd.hpp>

namespace catenary::api::handlers {

http::Response list_connectors(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response get_connector(const http::Request& request, const Caller& caller, ports::Services& services);
/// PUT /api/v1/connectors/{name}: makes it, or replaces all of it but the secrets, which stay unless they are given.
http::Response put_connector(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response remove_connector(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response receive_hook(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response test_connector(const http::Request& request, const Caller& caller, ports::Services& services);
/// POST /api/v1/connectors/{name}/preview: what a ticket of an incident would say.
http::Response preview_connector(const http::Request& request, const Caller& caller, ports::Services& services);

http::Response list_tickets(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response sync_ticket(const http::Request& request, const Caller& caller, ports::Services& services);
/// POST /api/v1/incidents/{number}/tickets
http::Response open_ticket(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response list_deliveries(const http::Request& request, const Caller& caller, ports::Services& services);
http::Response retry_delivery(const http::Request& request, const Caller& caller, ports::Services& services);

/// Refuses parameters and a body; for requests that say all in their path.
std::optional<http::Response> refuse_all_but_path(const http::Request& request);

/// Fills in the `tickets` of incidents' replies; the failure of the look-up, if any.
std::optional<ports::Failure> add_tickets(const std::vector<engine::IncidentNumber>& numbers, nlohmann::ordered_json& incidents, const Caller& caller,
                                          ports::Services& services);

}  // namespace catenary::api::handlers
