#pragma once

#include "engine/lane/dictionary.hpp"
#include "engine/model/ids.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace catenary::engine {

/// Entities, each with how often it is mentioned, of which records show the first `most()` in EntityOrder: only those are kept in order.
class ListedEntities {
public:
    static constexpr std::size_t usual_most = 500;

    explicit ListedEntities(const Dictionary& dictionary, std::size_t most = usual_most) : most_{most}, first_{EntityOrder{&dictionary}} {}
    std::size_t most() const { return most_; }
    /// At least one. All of the list may have changed.
    void change_most(std::size_t most);

    void add(EntityId entity);
    /// Of what was added.
    void remove(EntityId entity);

    std::size_t size() const { return counts_.size(); }
    bool contains(EntityId entity) const { return counts_.contains(entity); }
    /// The first ones, in order.
    const std::set<EntityId, EntityOrder>& first();
    /// What came into `first` since the last call, and what had to leave it for that, perhaps repeated; nothing: it has to be listed again.
    std::optional<std::vector<EntityId>> take_changed();

private:
    std::size_t most_;
    boost::unordered_flat_map<EntityId, std::uint32_t, std::hash<EntityId>> counts_;
    std::set<EntityId, EntityOrder> first_;
    void note(EntityId entity);

    bool is_complete_ = true;  // else `first_` is to be gathered again
    std::vector<EntityId> changed_;
    bool list_again_ = true;
};

}  // namespace catenary::engine
