#pragma once

#include "engine/model/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace catenary::engine {

struct DefinitionTag;

/// Which places of a tenant's dictionary are named by something.
struct NamedPlaces {
    std::vector<bool> strings;
    std::vector<bool> entities;
    std::vector<bool> definitions;

    /// Numbers of other things are let pass, and so is the entity that patterns without a link put everything under: it has no place.
    template <class Tag, class Rep>
    void add(const StrongId<Tag, Rep>& id) {
        if constexpr (std::is_same_v<Tag, SymbolTag>) add(strings, id.value());
        else if constexpr (std::is_same_v<Tag, EntityTag>) add(entities, id.value());
        else if constexpr (std::is_same_v<Tag, DefinitionTag>) add(definitions, id.value());
    }

private:
    static void add(std::vector<bool>& places, std::uint32_t place) {
        if (place < places.size()) places[place] = true;
    }
};

}  // namespace catenary::engine
