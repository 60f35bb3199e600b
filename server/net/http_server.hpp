#pragma once

#include "server/net/endpoints.hpp"
#include "server/net/limits.hpp"
#include "server/observe/log.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace catenary::server::net {

struct HttpServerOptions {
    std::string host = "127.0.0.1";  ///< a name or an address, IPv6 without brackets
    std::uint16_t port = 8080;       ///< 0: the system chooses
    std::size_t io_threads = 2;
    std::size_t worker_threads = 8;  ///< as many as the stores have connections
    HttpLimits limits;
};

/// The HTTP side of the process: I/O threads with the sessions' coroutines, worker threads for everything that blocks.
///
///   made ──start()──▶ accepting ──drain()──▶ drained ──destructor──▶ threads joined
class HttpServer {
public:
    /// `log` and what `endpoints` refers to outlive the server.
    HttpServer(HttpServerOptions options, const Endpoints& endpoints, const observe::Log& log);
    /// Drains without grace if drain() was not called, then waits for the jobs on worker threads. Every SignalSink::Done must have been called or destroyed.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Binds, listens and returns where, "127.0.0.1:8080". Throws std::runtime_error that names the address when it cannot be had.
    std::string start();
    /// Stops accepting, closes idle connections, lets requests under way finish for at most `grace`, then closes the rest. Returns whether all finished.
    bool drain(std::chrono::milliseconds grace);
    /// Prometheus text on places taken and refused.
    std::string usage_text() const;
    /// Requests of a tenant that were refused since the start.
    struct Refused {
        std::int64_t by_quota;   ///< 429
        std::int64_t stalled;    ///< 503 of Endpoints::stalled
        std::int64_t busy;       ///< 503 since the server had too much at once; requests of every kind
        std::int64_t too_large;  ///< signals refused alone, and requests as a whole
    };
    Refused refused(engine::TenantId tenant) const;

private:
    class Machinery;
    std::unique_ptr<Machinery> machinery_;
};

}  // namespace catenary::server::net
