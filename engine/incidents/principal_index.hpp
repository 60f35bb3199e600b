#pragma once

#include "engine/incidents/finding.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <map>

namespace catenary::engine {

/// Which findings name a principal, by first activity.
class PrincipalIndex {
public:
    void add(EntityId principal, const FindingOrder& order, FindingIndex finding) { by_principal_[principal].emplace(order, finding); }
    void remove(EntityId principal, const FindingOrder& order);

    /// Calls `visit(FindingIndex)` for findings of `principal` that start at or before `latest_start`, latest first, until it returns false, at most for
    /// `most`: a look at an entity that thousands of findings name stays cheap, at the price of the oldest ones.
    template <class Visit>
    void visit_starting_until(EntityId principal, Timestamp latest_start, std::size_t most, Visit visit) const {
        const auto found = by_principal_.find(principal);
        if (found == by_principal_.end()) return;
        const auto& ordered = found->second;
        auto place = ordered.lower_bound(FindingOrder{latest_start + Duration{1}, FindingId{}});  // the nil id comes before every other
        for (std::size_t seen = 0; place != ordered.begin() && seen < most; ++seen) {
            if (!visit((--place)->second)) return;
        }
    }

private:
    boost::unordered_flat_map<EntityId, std::map<FindingOrder, FindingIndex>, std::hash<EntityId>> by_principal_;
};

}  // namespace catenary::engine
