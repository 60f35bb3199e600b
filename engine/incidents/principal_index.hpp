#pragma once

#include "engine/incidents/finding.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <map>
#include <vector>

namespace catenary::engine {

/// Which findings name a principal, by first activity.
class PrincipalIndex {
public:
    void add(EntityId principal, const FindingOrder& order, FindingIndex finding) { by_principal_[principal].emplace(order, finding); }
    void remove(EntityId principal, const FindingOrder& order);

    /// Findings of `principal` that start at or before `latest_start`, latest first, at most `most`: a look at an entity that thousands of findings
    /// name stays cheap, at the price of the oldest ones.
    std::vector<FindingIndex> starting_until(EntityId principal, Timestamp latest_start, std::size_t most) const;

private:
    boost::unordered_flat_map<EntityId, std::map<FindingOrder, FindingIndex>, std::hash<EntityId>> by_principal_;
};

}  // namespace catenary::engine
