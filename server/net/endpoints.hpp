#pragma once

#include "api/http/request.hpp"
#include "api/ingest/prepared.hpp"
#include "api/ports/ports.hpp"
#include "api/routes.hpp"
#include "server/ingest/signal_sink.hpp"
#include "server/net/authenticator.hpp"
#include "server/net/remembered_replies.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::net {

/// What lies behind the sockets. Everything is called from worker threads, several at a time, unless said otherwise; the references outlive the server.
struct Endpoints {
    using RouteTable = std::function<api::RouteMatch(api::http::Method, const std::vector<std::string>&)>;
    using Prepare = std::function<api::ingest::Preparation(api::http::Request&, const api::Caller&)>;
    using Render = std::function<api::http::Response(const api::http::Request&, const api::ingest::PreparedBatch&, const api::ingest::CommitOutcome&)>;

    RouteTable find_route;                                ///< called by I/O threads
    Prepare prepare;                                      ///< of the ingest routes; takes the body out of the request
    Render render;                                        ///< called by I/O threads
    std::function<std::string()> metrics;                 ///< text for /metrics, besides the server's own
    std::function<std::optional<std::string>()> stalled;  ///< why no signals are taken at the moment; empty when they are. Called by I/O threads
    api::ports::Services& services;
    Authenticator& authenticator;
    RememberedReplies& replies;
    SignalSink& sink;
};

/// Of the routes without a handler in the table, the one that takes no signals: its reply is made here.
constexpr std::string_view metrics_path = "/metrics";

/// The end points above with the product's routes, parser and clock.
Endpoints product_endpoints(const api::ingest::IngestLimits& limits, api::ports::Services& services, Authenticator& authenticator, RememberedReplies& replies,
                            SignalSink& sink, std::function<std::string()> metrics, std::function<std::optional<std::string>()> stalled);

}  // namespace catenary::server::net
