#pragma once

#include "server/ingest/pq_connection.hpp"
#include "tests/bench/load_client.hpp"
#include "tests/bench/signal_generator.hpp"

#include <cstddef>
#include <string>

namespace catenary::bench {

/// How long things take while the server has half as much to do as it can: the acknowledgement of a request, and from the acknowledgement of a chain's
/// last signal until its incident can be read. Beside them, in the same run, what a durable commit takes that writes nothing, and what one takes that
/// writes a request's rows into a table without indexes.
struct HalfRate {
    double signals_per_second;  ///< of the load: half of the maximum
    std::size_t request_signals;
    double seconds = 20;
};

/// Prints the figures. `load.key`: of a tenant with the shipped patterns. `connection` may create tables.
void measure_half_rate(const HalfRate& rate, const LoadOptions& load, SignalGenerator& generator, const std::string& superuser_dsn);

}  // namespace catenary::bench
