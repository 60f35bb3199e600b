#pragma once

#include "api/ingest/prepared.hpp"
#include "server/ingest/pq_connection.hpp"

#include <memory>
#include <string>
#include <vector>

namespace catenary::bench {

/// Seconds that a bare binary COPY of the requests' rows takes into an unindexed copy of `signal`: one connection, 5,000 rows a statement, a transaction each.
/// What everything that stores signals is measured against. `connection` may create tables.
double bare_copy(server::PqConnection& connection, const std::vector<std::shared_ptr<api::ingest::PreparedBatch>>& requests);

/// A request's body, parsed and checked as the server does. Throws std::runtime_error when a signal of it is refused.
std::shared_ptr<api::ingest::PreparedBatch> prepared_request(std::string body);

/// Median; `values` is not empty.
double median(std::vector<double> values);

}  // namespace catenary::bench
