#pragma once

#include "tests/simulator/as_defined.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace catenary::simulator {

/// What a run went through.
struct Figures {
    std::int64_t entries = 0;     ///< of the log at its end
    std::int64_t steps = 0;       ///< turns of simulated threads
    std::int64_t kills = 0;       ///< of processes, stops included
    std::int64_t pauses = 0;      ///< of processes that later went on
    std::int64_t torn = 0;        ///< COMMITs whose reply did not come
    std::int64_t fenced = 0;      ///< result transactions of former leaders
    std::int64_t collisions = 0;  ///< groups that met keys their process did not know
    std::int64_t crashes = 0;     ///< of the database
    std::int64_t repeats = 0;     ///< items answered `duplicate`
    std::int64_t conflicts = 0;   ///< and `conflict`
    std::int64_t restored = 0;    ///< starts from a snapshot
    std::int64_t carried = 0;     ///< starts that carried over what was reported
    std::int64_t findings = 0;    ///< stored at the end
    std::int64_t held = 0;        ///< runs whose results were held to the oracle
    std::int64_t held_whole = 0;  ///< and of each version of a pattern everything
    Compared compared;            ///< what of them was
    Figures& operator+=(const Figures& other);
    std::string text() const;
};

struct Verdict {
    std::optional<std::string> broken;  ///< which promise, and how it shows
    Figures figures;
};

/// One run from the seed: a log of a random story, sent by clients that insist to processes that fail, then every check. The same seed, the same run.
Verdict run(std::uint32_t seed);
/// The same, but somewhere on the way every process ends, and those that start again find that another version of the program made what is stored.
Verdict run_upgraded(std::uint32_t seed);

}  // namespace catenary::simulator
