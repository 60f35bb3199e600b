#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace catenary::tests {

/// One permutation of a scenario of the reference catalogue: the two signals that it joins.
struct Permutation {
    std::string first;
    std::string second;
    std::string first_domain;
    std::string second_domain;
    std::vector<std::string> kinds;  ///< of the entities that both mention
    bool ordered;                    ///< false: at about the same time, in either order
    std::string pattern;             ///< the shipped pattern that has to find it
};

/// Every permutation of the reference material. Throws where the material, or a pattern for one of them, is missing.
std::vector<Permutation> reference_permutations();

/// A signal of one of them. `suffix` tells entities apart: with the same one, signals share all of them.
nlohmann::json reference_signal(const Permutation& permutation, bool first, const std::string& time, const std::string& suffix, const std::string& id);

bool no_reference_scenarios();

}  // namespace catenary::tests
