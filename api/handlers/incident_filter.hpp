#pragma once

#include "api/http/query.hpp"
#include "api/ports/ports.hpp"

namespace catenary::api::handlers {

struct IncidentListing {
    ports::IncidentFilter filter;
    bool all_entities = false;  ///< include=entities: hundreds of each, instead of the first few
};

/// Everything GET /incidents can be narrowed and ordered by; faults stay in `query`.
IncidentListing incident_listing(http::QueryReader& query);

}  // namespace catenary::api::handlers
