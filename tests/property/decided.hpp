#pragma once

#include "tests/property/random_case.hpp"

#include <map>
#include <string>

namespace catenary::property {

/// Counts, for each construct, the cases whose findings would be others without it: how much the cases drawn really test.
class Decided {
public:
    void look_at(const Case& c);
    /// By construct; every construct is listed.
    const std::map<std::string, int>& counts() const { return counts_; }
    std::string table() const;

private:
    std::map<std::string, int> counts_;
};

}  // namespace catenary::property
