#pragma once

#include "server/ingest/committer.hpp"
#include "server/lanes/lane_worker.hpp"
#include "server/pg/pool.hpp"

#include <string>

namespace catenary::server::observe {

/// Prometheus text of what the parts behind HTTP say of themselves.
std::string process_metrics(const CommitterStatus& committer, const LeaderStatus& lanes, const pg::Pool::Usage& pool, std::size_t hand_off_bytes);

}  // namespace catenary::server::observe
