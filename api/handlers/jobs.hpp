#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

namespace catenary::api::handlers {

/// Queues a backtest of a stored version, or of a document that need not be stored: 202 with the job.
http::Response backtest_pattern(const http::Request& request, const Caller& caller, ports::Services& services);
/// Newest first, without results.
http::Response list_jobs(const http::Request& request, const Caller& caller, ports::Services& services);
/// With its result once it is done.
http::Response get_job(const http::Request& request, const Caller& caller, ports::Services& services);
/// Ends a job that waits or runs; it goes on to be listed.
http::Response cancel_job(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
