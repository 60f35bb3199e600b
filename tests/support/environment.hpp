#pragma once

#include <cstdint>

namespace catenary::tests {

/// A whole number that the environment gives, `otherwise` where it does not. Throws std::runtime_error on anything but [least, most].
/// Names begin with TEST_: a server that a test starts refuses CATENARY_ names that it does not read.
std::uint64_t environment_number(const char* name, std::uint64_t least, std::uint64_t most, std::uint64_t otherwise);

}  // namespace catenary::tests
