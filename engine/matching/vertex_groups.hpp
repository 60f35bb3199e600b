#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace catenary::engine {

/// Disjoint sets of small numbers; a set goes by its least member, so that nothing depends on the order of unions.
class VertexGroups {
public:
    /// A new set of one.
    std::uint32_t add() {
        parents_.push_back(static_cast<std::uint32_t>(parents_.size()));
        return parents_.back();
    }
    std::uint32_t find(std::uint32_t one) {
        while (parents_[one] != one) one = parents_[one] = parents_[parents_[one]];
        return one;
    }
    /// Whether they were apart.
    bool unite(std::uint32_t a, std::uint32_t b) {
        a = find(a);
        b = find(b);
        if (a == b) return false;
        parents_[std::max(a, b)] = std::min(a, b);
        return true;
    }

private:
    std::vector<std::uint32_t> parents_;
};

}  // namespace catenary::engine
