#pragma once

#include "api/catalogue/shipped_patterns.hpp"
#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

#include <optional>
#include <string>
#include <vector>

namespace catenary::api::handlers {

/// The id in /api/v1/patterns/{id}…
const std::string& pattern_id(const http::Request& request);

/// Why no pattern can have this id; empty: one can. A path that says the word means something else (routes.cpp).
std::optional<engine::Fault> id_fault(const std::string& id, std::string pointer);

/// A pattern that ships as a tenant has it. `deployed`: what the tenant said of it; null for nothing.
ports::PatternVersion shipped_version(const catalogue::ShippedPattern& shipped, const ports::PatternVersion* deployed);

/// The pattern as it is for the caller, with its document: the tenant's own, or what ships with what the tenant said of it.
ports::Outcome<ports::PatternVersion> find_pattern(const std::string& id, const Caller& caller, ports::Services& services);

/// What ships and the tenant's own, by id.
ports::Outcome<std::vector<ports::PatternVersion>> every_pattern(const Caller& caller, ports::Services& services);

}  // namespace catenary::api::handlers
