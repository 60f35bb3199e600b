#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// One input. Every fuzz target defines it; libFuzzer and the replay call it. Always 0: a fault ends the process.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace catenary::fuzz {

/// Ends the process, saying `what`, unless it holds: to a fuzzer a broken promise is a crash.
void require(bool holds, std::string_view what);

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }

}  // namespace catenary::fuzz
