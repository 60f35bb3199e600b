#pragma once

#include "engine/lane/lane.hpp"
#include "engine/snapshot/writer.hpp"

#include <string>
#include <string_view>

namespace catenary::engine {

/// What stands before the state of a lane: by which version of the program and over which patterns it came about.
///
/// A snapshot: the line "catenary lane state 1\n"; the version of the program; the hash of the shipped patterns; the patterns that the state refers to,
/// each as id, version and hash of its content; the state; the seal of all that.
std::string sealed(const Catalogue& shipped, const std::vector<std::shared_ptr<const Pattern>>& patterns, std::string state);

/// A CRC-32 of everything before it, low byte first: tells damage, not malice. Whoever keeps snapshots where others write has to sign them. Lanes stand while a
/// state is saved, and anything cryptographic takes longer than writing it.
std::string seal_of(std::string_view content);

/// The state, with the patterns that it refers to.
struct Unsealed {
    std::string_view state;
    std::vector<std::shared_ptr<const Pattern>> patterns;
};
SnapshotResult<Unsealed> unsealed(const Catalogue& shipped, const Catalogue& posted, std::string_view bytes);

}  // namespace catenary::engine
