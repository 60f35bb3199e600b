#pragma once

#include "engine/lane/lane.hpp"
#include "tests/simulator/database.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace catenary::simulator {

/// How much of what is stored was compared with the oracle. A version of a pattern in a tenant is one comparison.
struct Compared {
    std::int64_t whole = 0;     ///< versions of which every finding was compared
    std::int64_t partly = 0;    ///< versions of which findings of closed or ended incidents were held to their evidence only
    std::int64_t left_out = 0;  ///< versions of which nothing was compared
    std::int64_t findings = 0;  ///< that were stored as the oracle wants them, in every respect
    std::int64_t grouped = 0;   ///< tenants of which it was compared which findings are in one incident
    Compared& operator+=(const Compared& other);
};

/// Holds the stored results of the committed log to what the definitions make of it (tests/oracle): of each tenant its clock and counters, of each version of a
/// pattern its findings: times, state, principals, evidence by stage, late answers, score, and ids where the definitions give them; and which findings are in
/// one incident, where nobody merged, split or closed any. What differs; empty: nothing.
///
/// | of a version | is compared |
/// | --- | --- |
/// | that wants more than the brute force can take | nothing |
/// | that wants signals behind the horizon of which some still wait to be matched again, or were given up | nothing |
/// | findings of an incident that was closed once; with signals behind the horizon: findings that ended before it | that their evidence is stored |
/// | findings that go on from one of those | all of it, but evidence that they repeat from there may be as it was |
/// | everything else | all of it, both ways |
std::optional<std::string> other_than_defined(Database& database, const engine::Catalogue& shipped, Compared& compared);

}  // namespace catenary::simulator
