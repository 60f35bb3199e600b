#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api {

using Handler = http::Response (*)(const http::Request&, const Caller&, ports::Services&);

/// One row of the contract. `path` has {names} for variable segments: "/api/v1/incidents/{number}/evidence".
struct Route {
    http::Method method;
    std::string_view path;
    Scope scope;      ///< Scope::none: no key needed
    Handler handler;  ///< null: the session's own (ingest, metrics)
};
std::span<const Route> routes();

/// What ticket systems send by themselves: signed, without a key.
inline constexpr std::string_view hooks_path = "/api/v1/hooks/{id}";

struct RouteMatch {
    const Route* route = nullptr;       ///< null: no route
    std::vector<http::Method> allowed;  ///< when the path exists with other methods: for 405
};
/// By method and decoded segments.
RouteMatch find_route(http::Method method, const std::vector<std::string>& segments);

}  // namespace catenary::api
