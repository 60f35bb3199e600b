#include "server/net/endpoints.hpp"

#include "api/adapters/posted.hpp"

#include <chrono>
#include <utility>

namespace catenary::server::net {

Endpoints product_endpoints(const api::ingest::IngestLimits& limits, api::ports::Services& services, Authenticator& authenticator, RememberedReplies& replies,
                            SignalSink& sink, std::function<std::string()> metrics, std::function<std::optional<std::string>()> stalled) {
    return {.find_route = &api::find_route,
            .prepare =
                [limits](api::http::Request& request, const api::Caller& caller) {
                    const auto now = std::chrono::floor<engine::Duration>(std::chrono::system_clock::now());
                    if (const auto format = api::adapters::format_in_path(request)) return api::adapters::prepare(*format, request, caller, now, limits);
                    return api::ingest::prepare(request, caller, now, limits);
                },
            .render = &api::ingest::render,
            .metrics = std::move(metrics),
            .stalled = std::move(stalled),
            .services = services,
            .authenticator = authenticator,
            .replies = replies,
            .sink = sink};
}

}  // namespace catenary::server::net
