#include "server/net/endpoints.hpp"

#include "api/adapters/posted.hpp"

#include <chrono>
#include <utility>

namespace catenary::server::net {
namespace {

using api::http::Method;

/// Of the process, not of the API: its text is made here, and it is in no tenant's contract.
constexpr api::Route metrics_route{Method::get, metrics_path, api::Scope::none, nullptr};

api::RouteMatch find_route(Method method, const std::vector<std::string>& segments) {
    const bool is_metrics = segments.size() == 1 && segments.front() == metrics_path.substr(1);
    if (!is_metrics) return api::find_route(method, segments);
    if (method == metrics_route.method) return {&metrics_route, {}};
    return {nullptr, {metrics_route.method}};
}

}  // namespace

Endpoints product_endpoints(api::ports::Services& services, Authenticator& authenticator, SignalSink& sink, std::function<std::string()> metrics) {
    return {.find_route = &find_route,
            .prepare =
                [](const api::http::Request& request, const api::Caller& caller) {
                    const auto now = std::chrono::floor<engine::Duration>(std::chrono::system_clock::now());
                    const api::ingest::IngestLimits limits;
                    if (const auto format = api::adapters::format_in_path(request)) return api::adapters::prepare(*format, request, caller, now, limits);
                    return api::ingest::prepare(request, caller, now, limits);
                },
            .render = &api::ingest::render,
            .metrics = std::move(metrics),
            .services = services,
            .authenticator = authenticator,
            .sink = sink};
}

}  // namespace catenary::server::net
