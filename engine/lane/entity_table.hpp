#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/text_hash.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace catenary::engine {

/// The entities that signals of a tenant's window mention: (kind, canonical value) <-> dense number.
class EntityTable {
public:
    struct Entity {
        Symbol kind;
        std::string value;
    };
    EntityId intern(Symbol kind, std::string_view value);
    const Entity& operator[](EntityId id) const { return entities_[id.value()]; }
    std::size_t size() const { return entities_.size(); }
    std::size_t bytes() const { return bytes_; }
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);

private:
    std::deque<Entity> entities_;  // a deque: the views in index_ stay valid
    struct Hash {
        using is_avalanching = void;
        std::size_t operator()(const std::pair<std::uint32_t, std::string_view>& entity) const { return TextHash::mixed(entity.second, entity.first); }
    };
    boost::unordered_flat_map<std::pair<std::uint32_t, std::string_view>, EntityId, Hash> index_;
    std::size_t bytes_ = 0;
};

/// Place of a kind among principals: account, host, mailbox, app, cloud_resource, ip, then everything else.
int kind_rank(std::string_view kind);

}  // namespace catenary::engine
