#pragma once

#include "tests/property/random_case.hpp"

#include <functional>

namespace catenary::property {

/// The smallest case found, by leaving out and simplifying one thing after the other, for which `fails` still holds. `c` itself must fail.
Case shrunk(Case c, const std::function<bool(const Case&)>& fails);

}  // namespace catenary::property
