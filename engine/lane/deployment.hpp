#pragma once

#include "engine/lane/string_pool.hpp"
#include "engine/matching/matcher.hpp"
#include "engine/matching/pattern.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace catenary::engine {

/// One version of a pattern that runs for a tenant, beside production or in it.
struct Deployment {
    std::shared_ptr<const Pattern> pattern;
    Mode mode;                          ///< flighting or production
    std::vector<Symbol> link_kinds;     ///< sorted; empty: unlinked
    std::vector<Symbol> grouped_kinds;  ///< those that a stage is repeated `by`, sorted: entities of these link even where they are denied
    PatternMatcher matcher;
};

/// Attribute paths that the pattern's predicates and `distinct` fields read.
std::set<std::string> attribute_paths(const Pattern& pattern);

/// How far before an instance's last completing signal its evidence can lie, and what must be absent; as long after it at most absence is judged.
Duration reach(const Pattern& pattern);

}  // namespace catenary::engine
