#include "engine/incidents/principal_index.hpp"

namespace catenary::engine {

void PrincipalIndex::remove(EntityId principal, const FindingOrder& order) {
    const auto found = by_principal_.find(principal);
    if (found == by_principal_.end()) return;
    found->second.erase(order);
    if (found->second.empty()) by_principal_.erase(found);
}

std::vector<FindingIndex> PrincipalIndex::starting_until(EntityId principal, Timestamp latest_start, std::size_t most) const {
    std::vector<FindingIndex> findings;
    const auto found = by_principal_.find(principal);
    if (found == by_principal_.end()) return findings;
    const auto& ordered = found->second;
    auto place = ordered.lower_bound(FindingOrder{latest_start + Duration{1}, FindingId{}});  // the nil id comes before every other
    while (place != ordered.begin() && findings.size() < most) findings.push_back((--place)->second);
    return findings;
}

}  // namespace catenary::engine
