#include "tests/fuzz/invariant.hpp"

#include <cstdio>
#include <cstdlib>

namespace catenary::fuzz {

void require(bool holds, std::string_view what) {
    if (holds) return;
    std::fflush(stdout);
    std::fprintf(stderr, "\ndoes not hold: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
}

}  // namespace catenary::fuzz
