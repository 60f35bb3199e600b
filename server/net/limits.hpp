#pragma once

#include "server/net/rate_quotas.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace catenary::server::net {

/// What clients may take. All inclusive.
struct HttpLimits {
    std::size_t header_bytes = 16 * 1024;
    std::uint64_t batch_bytes = 8 * 1024 * 1024;  ///< body of an ingest request
    std::uint64_t document_bytes = 1024 * 1024;   ///< body of any other request

    std::int64_t connections = 10'000;                 ///< beyond: 503 and closed
    std::int64_t requests = 1'024;                     ///< being answered at once; beyond: 503
    std::int64_t in_flight_bytes = 256 * 1024 * 1024;  ///< bodies being read or answered; as many again of replies being sent; beyond: 503
    std::int64_t keyless_bytes = 8 * 1024 * 1024;      ///< bodies that come without a key, and wait for nobody else's; beyond: 503
    std::int64_t skipped_bytes = 4 * 1024 * 1024;      ///< refused bodies that are read so that the connection can go on; beyond it is closed

    RateLimits rates;  ///< beyond: 429

    std::chrono::milliseconds idle{75'000};    ///< between two requests of a connection
    std::chrono::milliseconds header{10'000};  ///< from a head's first byte to its last; also the wait for a connection's first byte
    std::chrono::milliseconds body{30'000};    ///< for a body, plus its length at `slowest_bytes_per_second`
    std::uint64_t slowest_bytes_per_second = 64 * 1024;
    std::chrono::milliseconds write{30'000};  ///< for a reply, plus its length at the same rate
};

}  // namespace catenary::server::net
