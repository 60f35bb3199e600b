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

/// The entities that a tenant's held signals mention: (kind, canonical value) <-> dense number. One that no held signal has mentioned for `idle_rounds` rounds
/// is forgotten, and its number is used again: people and machines come and go, and what is kept of them must not grow with everyone who ever was there.
class EntityTable {
public:
    struct Entity {
        Symbol kind;
        std::string value;
    };
    /// A round ends whenever a sixteenth of the horizon has passed. What is derived from signals (timelines, sets, findings) goes soon after them, so that
    /// two horizons after the last mention nothing names the number any more.
    static constexpr std::uint32_t idle_rounds = 32;

    EntityId intern(Symbol kind, std::string_view value);
    std::optional<EntityId> find(Symbol kind, std::string_view value) const;
    const Entity& operator[](EntityId id) const { return places_[id.value()].entity; }

    void use(EntityId id) { ++places_[id.value()].uses; }
    void give_back(EntityId id);
    /// Forgets what has been idle for long enough, but for entities that `is_kept(EntityId)` says stay.
    template <class IsKept>
    void end_round(IsKept&& is_kept) {
        ++round_;
        for (std::size_t left = idle_.size(); left > 0 && round_ - places_[idle_.front().value()].queued_in >= idle_rounds; --left) {
            const EntityId id = idle_.front();
            idle_.pop_front();
            Place& place = places_[id.value()];
            if (place.uses > 0) place.is_queued = false;
            else if (round_ - place.idle_since < idle_rounds || is_kept(id)) queue(id);
            else forget(id);
        }
    }

    std::size_t size() const { return places_.size() - free_.size(); }
    std::size_t bytes() const { return bytes_; }
    /// How often each is used is left out: who uses them says so again.
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);

private:
    struct Place {
        Entity entity;
        std::uint32_t uses = 0;
        std::uint32_t idle_since = 0;  ///< round in which it was made or given back last
        std::uint32_t queued_in = 0;   ///< round in which it was put into `idle_`
        bool is_known = false;         ///< false: a free place
        bool is_queued = false;        ///< in `idle_`, once at most
    };
    void queue(EntityId id);
    void forget(EntityId id);
    static std::size_t bytes_of(const Entity& entity);

    std::deque<Place> places_;  // a deque: the views in index_ stay valid
    struct Hash {
        using is_avalanching = void;
        std::size_t operator()(const std::pair<std::uint32_t, std::string_view>& entity) const { return TextHash::mixed(entity.second, entity.first); }
    };
    boost::unordered_flat_map<std::pair<std::uint32_t, std::string_view>, EntityId, Hash> index_;
    std::deque<EntityId> idle_;  ///< by queued_in
    std::vector<std::uint32_t> free_;
    std::uint32_t round_ = 0;
    std::size_t bytes_ = 0;
};

/// Place of a kind among principals: account, host, mailbox, app, cloud_resource, ip, then everything else.
int kind_rank(std::string_view kind);

}  // namespace catenary::engine
