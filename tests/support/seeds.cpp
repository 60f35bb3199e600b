#include "tests/support/seeds.hpp"

#include "tests/support/environment.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace catenary::tests {

Seeds seeds(std::uint32_t first, std::uint32_t usual) {
    const auto percent = environment_number("TEST_RANDOM_PERCENT", 1, 100'000, 100);
    const auto base = environment_number("TEST_SEED_BASE", 0, 4'000'000'000, 0);
    const auto begin = base + first;
    const auto end = begin + std::max<std::uint64_t>(usual * percent / 100, 1);
    if (end > UINT32_MAX) {
        throw std::runtime_error("seeds would end at " + std::to_string(end) + "; choose a smaller TEST_SEED_BASE or TEST_RANDOM_PERCENT");
    }
    if (percent != 100 || base != 0) MESSAGE("seeds " << begin << " to " << end - 1);
    return Seeds{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
}

}  // namespace catenary::tests
