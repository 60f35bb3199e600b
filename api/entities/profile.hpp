#pragma once

#include "api/ports/ports.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace catenary::api::entities {

// What some signals say of one entity that they mention. Pure: the signals have been read already.

struct NameCount {
    std::string source;
    std::string name;
    std::string domain;
    std::int64_t signals = 0;
    engine::Timestamp first, last;
};
struct Neighbour {
    engine::EntityKey key;
    bool identifies = true;
    std::int64_t signals = 0;  ///< that mention both
    engine::Timestamp first, last;
};
struct StatedAlias {
    engine::EntityKey key;
    std::string source;  ///< of the newest signal that states it
    engine::Timestamp last;
};

/// Most signals first, ties by (source, name).
std::vector<NameCount> count_names(std::span<const ports::StoredSignalRow> rows);
/// Other entities of those signals; most signals first, ties by (kind, value).
std::vector<Neighbour> count_neighbours(const engine::EntityKey& of, std::span<const ports::StoredSignalRow> rows);
/// Original spellings of the entity, as posted, sorted; without the canonical one.
std::vector<std::string> spellings(const engine::EntityKey& of, std::span<const ports::StoredSignalRow> rows);
/// Identifiers that the signals say are the same, sorted.
std::vector<StatedAlias> stated_aliases(const engine::EntityKey& of, std::span<const ports::StoredSignalRow> rows);

}  // namespace catenary::api::entities
