#include "engine/lane/link_rules.hpp"

namespace catenary::engine {

void LinkRules::set(EntityId entity, Timestamp after, LinkRule rule) {
    const auto place = entities_.try_emplace(entity, LinkRule::usual).first;
    place->second.set(after, rule);
    if (!place->second.has_changes()) entities_.erase(place);
}

LinkRule LinkRules::rule(EntityId entity, Timestamp time) const {
    if (entities_.empty()) return LinkRule::usual;  // most tenants
    const auto found = entities_.find(entity);
    return found == entities_.end() ? LinkRule::usual : found->second.at(time);
}

std::size_t LinkRules::bytes() const { return entities_.size() * (sizeof(std::pair<EntityId, DatedValue<LinkRule>>) + sizeof(std::pair<Timestamp, LinkRule>)); }

}  // namespace catenary::engine
