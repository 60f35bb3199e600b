#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace catenary::simulator {

/// All chance of a simulation comes from here: the same seed gives the same run.
class Dice {
public:
    explicit Dice(std::uint32_t seed) : random_{seed} {}
    /// low <= n <= high.
    int pick(int low, int high) { return low + static_cast<int>(random_() % static_cast<unsigned>(high - low + 1)); }
    std::size_t index(std::size_t size) { return random_() % size; }
    bool percent(int chance) { return pick(1, 100) <= chance; }
    /// Once in `times` on the average; never for 0.
    bool once_in(int times) { return times > 0 && pick(1, times) == 1; }

private:
    std::mt19937 random_;
};

}  // namespace catenary::simulator
