#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

namespace catenary::api::handlers {

// What an entity did is read from its newest signals: at most `newest_signals` of them, and what more there is is said, never hidden.

/// GET /api/v1/entities
http::Response list_entities(const http::Request& request, const Caller& caller, ports::Services& services);
/// GET /api/v1/entities/{kind}/{value}: any spelling of the value.
http::Response get_entity(const http::Request& request, const Caller& caller, ports::Services& services);
/// PUT /api/v1/entities/{kind}/{value}: what administrators hold of it, as a whole. The entity need not have been mentioned.
http::Response change_entity(const http::Request& request, const Caller& caller, ports::Services& services);
/// GET /api/v1/entities/{kind}/{value}/timeline
http::Response entity_timeline(const http::Request& request, const Caller& caller, ports::Services& services);
/// GET /api/v1/entities/{kind}/{value}/neighbours
http::Response entity_neighbours(const http::Request& request, const Caller& caller, ports::Services& services);
/// GET /api/v1/entities/{kind}/{value}/graph
http::Response entity_graph(const http::Request& request, const Caller& caller, ports::Services& services);

inline constexpr std::size_t newest_signals = 1'000;
inline constexpr std::size_t kind_segment = 3;  // of /api/v1/entities/{kind}/{value}
inline constexpr std::size_t value_segment = 4;

/// The entity that the path names, if a signal has mentioned it or administrators hold something of it.
ports::Outcome<ports::EntityRow> entity_in_path(const http::Request& request, const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
