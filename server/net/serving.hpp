#pragma once

#include "server/net/endpoints.hpp"
#include "server/net/gate.hpp"
#include "server/net/http_counters.hpp"
#include "server/net/limits.hpp"
#include "server/net/quota.hpp"
#include "server/net/rate_quotas.hpp"
#include "server/net/request_ids.hpp"
#include "server/observe/log.hpp"
#include "server/observe/tenant_counter.hpp"

#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace catenary::server::net {

/// What all sessions share. Outlives them.
struct Serving {
    Serving(const HttpLimits& http_limits, const Endpoints& served, const observe::Log& log_to, boost::asio::thread_pool& pool, std::uint64_t seed)
        : limits{http_limits},
          endpoints{served},
          log{log_to},
          workers{pool},
          ids{seed},
          connections{limits.connections},
          requests{limits.requests},
          in_flight_bytes{limits.in_flight_bytes},
          tenant_bytes{std::max(limits.in_flight_bytes / 2, static_cast<std::int64_t>(limits.batch_bytes))},
          keyless_bytes{limits.keyless_bytes},
          skipped_bytes{limits.skipped_bytes},
          reply_bytes{limits.in_flight_bytes},
          tenant_reply_bytes{limits.in_flight_bytes / 2},
          rates{limits.rates} {}

    const HttpLimits limits;
    const Endpoints endpoints;
    const observe::Log& log;
    boost::asio::thread_pool& workers;
    RequestIds ids;
    Quota connections;
    Quota requests;
    Quota in_flight_bytes;
    TenantQuotas tenant_bytes;  ///< of `in_flight_bytes`: half of them, or one request
    Quota keyless_bytes;        ///< of requests that need no key: nobody else's bodies wait for them
    Quota skipped_bytes;
    Quota reply_bytes;
    TenantQuotas tenant_reply_bytes;  ///< of `reply_bytes`: half of them
    RateQuotas rates;
    observe::TenantCounter stalled;    ///< requests with signals, refused while Endpoints::stalled said why
    observe::TenantCounter busy;       ///< requests refused because the server had too much at once, of those whose tenant was known by then
    observe::TenantCounter too_large;  ///< signals, and requests with signals, that exceed a limit of their size
    HttpCounters counters;
    std::atomic<bool> stopping{false};  ///< no further request is taken from a connection
};

}  // namespace catenary::server::net
