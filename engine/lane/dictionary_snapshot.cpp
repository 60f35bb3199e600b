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
    out(entities_.size());
    for (const Entity& entity : entities_) out(entity.kind, entity.value);
}

void EntityTable::load(SnapshotReader& in) {
    for (std::size_t left = in.count(); left > 0; --left) {
        Entity entity;
        in(entity.kind, entity.value);
        const std::size_t size = entities_.size();
        SnapshotReader::require(intern(entity.kind, entity.value).value() == size, "an entity is repeated");
    }
    in.places().entities = entities_.size();
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
