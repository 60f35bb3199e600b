#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace catenary::bench {

struct LoadOptions {
    std::string url;  ///< "http://127.0.0.1:8080"
    std::string key;
    std::size_t connections = 16;    ///< kept alive, one request in flight each
    double requests_per_second = 0;  ///< 0: as fast as answers come
};

struct LoadReport {
    double seconds = 0;             ///< from the first request to the last answer
    std::size_t refused = 0;        ///< answers other than 200, after repeats
    std::size_t repeated = 0;       ///< requests sent again after 429 or 503
    std::vector<double> latencies;  ///< seconds, ascending; at a fixed rate from when the request was due, so that a stall is not hidden
};

/// Posts each body to /api/v1/signals as NDJSON over kept-alive connections and waits for all answers. One thread on epoll and requests made
/// beforehand: client and server share the machine, so that the client must cost next to nothing. Throws std::runtime_error when the server goes
/// away.
LoadReport send_load(const LoadOptions& options, const std::vector<std::string>& bodies);

/// The latency that `share` (0..1) of all did not exceed.
double percentile(const std::vector<double>& ascending, double share);

}  // namespace catenary::bench
