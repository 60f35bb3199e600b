#pragma once

#include "server/ingest/digest.hpp"
#include "server/ingest/leaves.hpp"
#include "server/ingest/pq_connection.hpp"

#include <set>

namespace catenary::server {

/// What the database's layout fixes for all who read or write signals. Both throw PqError.

/// layout.hash_key.
DigestKey load_digest_key(PqConnection& connection);
/// The leaves that there are.
std::set<Day> load_leaves(PqConnection& connection);

}  // namespace catenary::server
