#pragma once

#include "api/http/query.hpp"
#include "api/ports/ports.hpp"

#include <optional>
#include <string_view>
#include <vector>

// Filters that several lists share.

namespace catenary::api::handlers {

/// `entity=<kind>:<value>`, repeatable, canonicalised; the value may hold further colons.
std::vector<engine::EntityKey> entities_in(http::QueryReader& query);

/// `<name>_after` (included) and `<name>_before` (excluded); a range that ends before it starts is a fault.
ports::TimeRange range_in(http::QueryReader& query, std::string_view name);

/// A number as it stands in a path, 1 or greater.
std::optional<std::int64_t> positive_number(std::string_view segment);

/// A finding's id in the one spelling that replies use.
std::optional<engine::FindingId> finding_id(const std::string& text);

}  // namespace catenary::api::handlers
