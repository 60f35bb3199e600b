#include "engine/incidents/principal_index.hpp"

namespace catenary::engine {

void PrincipalIndex::remove(EntityId principal, const FindingOrder& order) {
    const auto found = by_principal_.find(principal);
    if (found == by_principal_.end()) return;
    found->second.erase(order);
    if (found->second.empty()) by_principal_.erase(found);
}

}  // namespace catenary::engine
