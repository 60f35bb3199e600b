#pragma once

#include "engine/lane/definitions.hpp"
#include "engine/lane/entity_table.hpp"
#include "engine/lane/string_pool.hpp"
#include "engine/snapshot/named_places.hpp"

#include <tuple>

namespace catenary::engine {

/// What a tenant's signals have interned: names, people and machines come and go, and what is kept of them must not grow with everyone who ever was there.
struct Dictionary {
    StringPool strings;
    EntityTable entities;
    Definitions definitions;

    std::size_t bytes() const { return strings.bytes() + entities.bytes() + definitions.bytes(); }
    /// As many places as there are now, none named.
    NamedPlaces nothing_named() const;
    /// Forgets everything but what is `named`, and what that consists of.
    void keep(NamedPlaces named);
};

/// How entities are listed: by kind in principal order, other kinds by name, then by value.
struct EntityOrder {
    const Dictionary* dictionary;
    bool operator()(EntityId left, EntityId right) const {
        const auto& [left_kind, left_value] = dictionary->entities[left];
        const auto& [right_kind, right_value] = dictionary->entities[right];
        if (left_kind == right_kind) return left_value < right_value;
        const std::string& left_word = dictionary->strings[left_kind];
        const std::string& right_word = dictionary->strings[right_kind];
        return std::tuple{kind_rank(left_word), std::string_view{left_word}} < std::tuple{kind_rank(right_word), std::string_view{right_word}};
    }
};

}  // namespace catenary::engine
