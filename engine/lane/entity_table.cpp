#include "engine/lane/entity_table.hpp"

#include <algorithm>
#include <array>

namespace catenary::engine {

EntityId EntityTable::intern(Symbol kind, std::string_view value) {
    if (const auto found = index_.find({kind.value(), value}); found != index_.end()) return found->second;
    const EntityId id{free_.empty() ? static_cast<std::uint32_t>(places_.size()) : free_.back()};
    if (free_.empty()) places_.emplace_back();
    else free_.pop_back();
    Place& place = places_[id.value()];
    place = Place{.entity = {kind, std::string{value}}, .is_known = true};
    index_.emplace(std::pair{kind.value(), std::string_view{place.entity.value}}, id);
    bytes_ += bytes_of(place.entity);
    return id;
}

std::optional<EntityId> EntityTable::find(Symbol kind, std::string_view value) const {
    const auto found = index_.find({kind.value(), value});
    return found == index_.end() ? std::nullopt : std::optional{found->second};
}

void EntityTable::keep(const std::vector<bool>& named) {
    for (std::uint32_t i = 0; i < places_.size(); ++i) {
        Place& place = places_[i];
        if (!place.is_known || named[i]) continue;
        index_.erase({place.entity.kind.value(), std::string_view{place.entity.value}});
        bytes_ -= bytes_of(place.entity);
        place = Place{};
        free_.push_back(i);
    }
}

std::size_t EntityTable::bytes_of(const Entity& entity) {
    return entity.value.size() + sizeof(Place) + sizeof(EntityId) + sizeof(std::pair<std::pair<std::uint32_t, std::string_view>, EntityId>);
}

int kind_rank(std::string_view kind) {
    constexpr std::array<std::string_view, 6> order{"account", "host", "mailbox", "app", "cloud_resource", "ip"};
    return static_cast<int>(std::find(order.begin(), order.end(), kind) - order.begin());
}

}  // namespace catenary::engine
