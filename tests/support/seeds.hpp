#pragma once

#include <cstdint>
#include <ranges>

namespace catenary::tests {

/// Consecutive seeds; `size()` says how many.
using Seeds = std::ranges::iota_view<std::uint32_t, std::uint32_t>;

/// The seeds of one random test: `usual` of them from `first` on, unless the environment asks for other ones, which are then printed.
///   TEST_RANDOM_PERCENT  how many, of the usual number: 1 to 100,000; at least one seed is tried
///   TEST_SEED_BASE       added to every seed, so that a long run tries what no run has tried before: 0 to 4,000,000,000
/// The same environment gives the same seeds. Throws std::runtime_error on anything else in these variables.
Seeds seeds(std::uint32_t first, std::uint32_t usual);

}  // namespace catenary::tests
