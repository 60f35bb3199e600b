#include "engine/lane/dictionary.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/last_values.hpp"
#include "engine/snapshot/places.hpp"

namespace catenary::engine {

void StringPool::save(SnapshotWriter& out) const { out(texts_); }

void StringPool::load(SnapshotReader& in) {
    *this = {};
    for (std::size_t left = in.count(); left > 0; --left) {
        const std::size_t size = texts_.size();
        SnapshotReader::require(intern(in.text()).value() == size, "a string is repeated");
    }
    in.places().symbols = texts_.size();
}

void EntityTable::save(SnapshotWriter& out) const {
    out(round_, places_.size());
    for (const Place& place : places_) {
        out(place.is_known);
        if (place.is_known) out(place.entity.kind, place.entity.value, place.idle_since, place.queued_in, place.is_queued);
    }
    out(free_, idle_.size());
    for (const EntityId id : idle_) out(id);
}

void EntityTable::load(SnapshotReader& in) {
    in(round_);
    std::vector<bool> known;
    std::size_t queued = 0;
    for (std::size_t left = in.count(); left > 0; --left) {
        Place& place = places_.emplace_back();
        in(place.is_known);
        known.push_back(place.is_known);
        if (!place.is_known) continue;
        in(place.entity.kind, place.entity.value, place.idle_since, place.queued_in, place.is_queued);
        const EntityId id{static_cast<std::uint32_t>(places_.size() - 1)};
        const bool is_new = index_.emplace(std::pair{place.entity.kind.value(), std::string_view{place.entity.value}}, id).second;
        SnapshotReader::require(is_new, "an entity is repeated");
        bytes_ += bytes_of(place.entity);
        queued += place.is_queued ? 1 : 0;
    }
    load_free_places(in, free_, known);
    in.places().entities = std::move(known);
    SnapshotReader::require(in.count() == queued, "the list of idle entities is not that of those that are idle");
    std::vector<bool> listed(places_.size());
    for (; queued > 0; --queued) {
        const EntityId id = (in(idle_.emplace_back()), idle_.back());
        SnapshotReader::require(places_[id.value()].is_queued && !listed[id.value()], "an entity waits twice to be forgotten");
        listed[id.value()] = true;
    }
}

/// The stages that a definition satisfies are worked out again.
void Definitions::save(SnapshotWriter& out) const {
    out(drop_above_, entries_.size());
    for (const Entry& entry : entries_) {
        out(entry.known);
        if (entry.known) out(entry.definition);
    }
    out(free_);
}

void Definitions::load(SnapshotReader& in) {
    in(drop_above_);
    std::vector<bool> known;
    for (std::size_t left = in.count(); left > 0; --left) {
        Entry& entry = entries_.emplace_back();
        in(entry.known);
        known.push_back(entry.known);
        if (!entry.known) continue;
        in(entry.definition);
        const DefinitionId id{static_cast<std::uint32_t>(entries_.size() - 1)};
        SnapshotReader::require(index_.emplace(entry.definition, id).second, "a definition is repeated");
    }
    load_free_places(in, free_, known);
    in.places().definitions = std::move(known);
}

}  // namespace catenary::engine
