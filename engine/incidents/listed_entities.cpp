#include "engine/incidents/listed_entities.hpp"

#include "engine/model/assert.hpp"

#include <iterator>

namespace catenary::engine {

void ListedEntities::change_most(std::size_t most) {
    if (most == most_) return;
    most_ = most;
    is_complete_ = false;
    changed_.clear();
    list_again_ = true;
}

void ListedEntities::add(EntityId entity) {
    if (++counts_[entity] > 1 || !is_complete_) return;
    if (first_.size() == most_) {
        if (!first_.key_comp()(entity, *first_.rbegin())) return;
        note(*first_.rbegin());
        first_.erase(std::prev(first_.end()));
    }
    first_.insert(entity);
    note(entity);
}

/// Of many changes each costs as much as a line of the list.
void ListedEntities::note(EntityId entity) {
    const std::size_t many = most_ / 10;
    if (list_again_) return;
    changed_.push_back(entity);
    if (changed_.size() <= many) return;
    changed_.clear();
    list_again_ = true;
}

std::optional<std::vector<EntityId>> ListedEntities::take_changed() {
    if (!std::exchange(list_again_, false)) return std::exchange(changed_, {});
    changed_.clear();
    return std::nullopt;
}

void ListedEntities::remove(EntityId entity) {
    const auto place = counts_.find(entity);
    CATENARY_ASSERT(place != counts_.end(), "only what was counted is taken away");
    if (--place->second > 0) return;
    counts_.erase(place);
    if (!is_complete_ || first_.erase(entity) == 0) return;
    is_complete_ = first_.size() == counts_.size();  // else one that was left out moves up
    // Its number may belong to another entity by the time the changes are taken.
    changed_.clear();
    list_again_ = true;
}

const std::set<EntityId, EntityOrder>& ListedEntities::first() {
    if (std::exchange(is_complete_, true)) return first_;
    first_.clear();
    for (const auto& [entity, count] : counts_) {
        if (first_.size() == most_) {
            if (!first_.key_comp()(entity, *first_.rbegin())) continue;
            first_.erase(std::prev(first_.end()));
        }
        first_.insert(entity);
    }
    return first_;
}

}  // namespace catenary::engine
