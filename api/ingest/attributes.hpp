#pragma once

#include "engine/model/signal.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::ingest {

/// The leaves of stored attributes whose path is in `paths` (spelled as engine::Attribute::path), in document order. `json` is a minified object as
/// ingest wrote it, or "". Text that ingest has not written gives the leaves before its damage.
std::vector<engine::Attribute> attribute_leaves(std::string_view json, const std::set<std::string>& paths);

}  // namespace catenary::api::ingest
