#include "engine/lane/entity_table.hpp"

#include <algorithm>
#include <array>

namespace catenary::engine {

EntityId EntityTable::intern(Symbol kind, std::string_view value) {
    if (const auto found = index_.find({kind.value(), value}); found != index_.end()) return found->second;
    const EntityId id{static_cast<std::uint32_t>(entities_.size())};
    const Entity& entity = entities_.emplace_back(Entity{kind, std::string{value}});
    index_.emplace(std::pair{kind.value(), std::string_view{entity.value}}, id);
    bytes_ += value.size() + sizeof(Entity) + sizeof(std::pair<std::pair<std::uint32_t, std::string_view>, EntityId>);
    return id;
}

int kind_rank(std::string_view kind) {
    constexpr std::array<std::string_view, 6> order{"account", "host", "mailbox", "app", "cloud_resource", "ip"};
    return static_cast<int>(std::find(order.begin(), order.end(), kind) - order.begin());
}

}  // namespace catenary::engine
