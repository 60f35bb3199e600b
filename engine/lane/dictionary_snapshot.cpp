#include "engine/lane/dictionary.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/last_values.hpp"
#include "engine/snapshot/places.hpp"

namespace catenary::engine {
namespace {

/// How many places there are, of each whether it is used, then what is in it.
template <class Places, class Write>
void save_places(SnapshotWriter& out, const Places& places, Write write) {
    out(places.size());
    for (const auto& place : places) {
        out(place.is_known);
        if (place.is_known) write(place);
    }
}

/// Calls `read(place, number)` for each place that is used and says which these are.
template <class Places, class Read>
std::vector<bool> load_places(SnapshotReader& in, Places& places, Read read) {
    std::vector<bool> known;
    for (std::size_t left = in.count(); left > 0; --left) {
        auto& place = places.emplace_back();
        in(place.is_known);
        known.push_back(place.is_known);
        if (place.is_known) read(place, static_cast<std::uint32_t>(places.size() - 1));
    }
    return known;
}

}  // namespace

void StringPool::save(SnapshotWriter& out) const {
    save_places(out, places_, [&](const Place& place) { out(place.text); });
    out(free_);
}

void StringPool::load(SnapshotReader& in) {
    *this = {};
    std::vector<bool> known = load_places(in, places_, [&](Place& place, std::uint32_t number) {
        in(place.text);
        SnapshotReader::require(index_.emplace(place.text, Symbol{number}).second, "a string is repeated");
        bytes_ += bytes_of(place.text);
    });
    load_free_places(in, free_, known);
    in.places().strings = std::move(known);
}

void EntityTable::save(SnapshotWriter& out) const {
    save_places(out, places_, [&](const Place& place) { out(place.entity.kind, place.entity.value); });
    out(free_);
}

void EntityTable::load(SnapshotReader& in) {
    std::vector<bool> known = load_places(in, places_, [&](Place& place, std::uint32_t number) {
        in(place.entity.kind, place.entity.value);
        const bool is_new = index_.emplace(std::pair{place.entity.kind.value(), std::string_view{place.entity.value}}, EntityId{number}).second;
        SnapshotReader::require(is_new, "an entity is repeated");
        bytes_ += bytes_of(place.entity);
    });
    load_free_places(in, free_, known);
    in.places().entities = std::move(known);
}

/// The stages that a definition satisfies are worked out again.
void Definitions::save(SnapshotWriter& out) const {
    save_places(out, entries_, [&](const Entry& entry) { out(entry.definition); });
    out(free_);
}

void Definitions::load(SnapshotReader& in) {
    std::vector<bool> known = load_places(in, entries_, [&](Entry& entry, std::uint32_t number) {
        in(entry.definition);
        SnapshotReader::require(index_.emplace(entry.definition, DefinitionId{number}).second, "a definition is repeated");
    });
    load_free_places(in, free_, known);
    in.places().definitions = std::move(known);
}

}  // namespace catenary::engine
