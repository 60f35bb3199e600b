#include "engine/lane/dictionary.hpp"

namespace catenary::engine {

NamedPlaces Dictionary::nothing_named() const {
    return {std::vector<bool>(strings.places()), std::vector<bool>(entities.places()), std::vector<bool>(definitions.places())};
}

void Dictionary::keep(NamedPlaces named) {
    definitions.keep(named.definitions);
    entities.keep(named.entities);
    definitions.each([&](const Definition& definition) {
        for (const Symbol symbol : {definition.source, definition.domain, definition.name}) named.add(symbol);
        for (const auto* symbols : {&definition.tactics, &definition.techniques}) {
            for (const Symbol symbol : *symbols) named.add(symbol);
        }
    });
    entities.each([&](const EntityTable::Entity& entity) { named.add(entity.kind); });
    strings.keep(named.strings);
}

}  // namespace catenary::engine
