#include "engine/snapshot/places.hpp"

#include "engine/snapshot/codec.hpp"

namespace catenary::engine {

void load_free_places(SnapshotReader& in, std::vector<std::uint32_t>& free, const std::vector<bool>& used) {
    in(free);
    std::vector<bool> taken = used;
    for (const std::uint32_t place : free) {
        SnapshotReader::require(place < taken.size() && !taken[place], "a place is both free and used");
        taken[place] = true;
    }
    SnapshotReader::require(std::find(taken.begin(), taken.end(), false) == taken.end(), "a place is neither free nor used");
}

}  // namespace catenary::engine
