#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/text_hash.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace catenary::engine {

/// The entities that a tenant's signals mention: (kind, canonical value) <-> dense number. Numbers of forgotten ones are used again.
class EntityTable {
public:
    struct Entity {
        Symbol kind;
        std::string value;
    };

    EntityId intern(Symbol kind, std::string_view value);
    std::optional<EntityId> find(Symbol kind, std::string_view value) const;
    const Entity& operator[](EntityId id) const { return places_[id.value()].entity; }

    /// How many numbers there are, of entities and of forgotten ones.
    std::size_t places() const { return places_.size(); }
    /// Forgets the entities that are not `named`, which says so of each number.
    void keep(const std::vector<bool>& named);
    /// Calls `visit(const Entity&)` for each entity.
    template <class Visit>
    void each(Visit visit) const {
        for (const Place& place : places_) {
            if (place.is_known) visit(place.entity);
        }
    }

    std::size_t size() const { return places_.size() - free_.size(); }
    std::size_t bytes() const { return bytes_; }
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);

private:
    struct Place {
        Entity entity;
        bool is_known = false;  ///< false: a free place
    };
    static std::size_t bytes_of(const Entity& entity);

    std::deque<Place> places_;  // a deque: the views in index_ stay valid
    struct Hash {
        using is_avalanching = void;
        std::size_t operator()(const std::pair<std::uint32_t, std::string_view>& entity) const { return TextHash::mixed(entity.second, entity.first); }
    };
    boost::unordered_flat_map<std::pair<std::uint32_t, std::string_view>, EntityId, Hash> index_;
    std::vector<std::uint32_t> free_;
    std::size_t bytes_ = 0;
};

/// Place of a kind among principals: account, host, mailbox, app, cloud_resource, ip, then everything else.
int kind_rank(std::string_view kind);

}  // namespace catenary::engine
