#include "api/handlers/connectors.hpp"
#include "api/handlers/reply.hpp"

namespace catenary::api::handlers {

namespace {

constexpr std::size_t id_segment = 3;  // /api/v1/hooks/{id}

}  // namespace

/// Nobody signs in here: what is not signed as its connector knows it is answered like what is sent to no connector.
http::Response receive_hook(const http::Request& request, const Caller&, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto taken = services.desk.take_hook(request.segments.at(id_segment), {request.hook_headers, request.body});
    if (!taken) return failure_reply(request, taken.error());
    return json_reply(202, {{"known", !*taken}});
}

}  // namespace catenary::api::handlers
