// Bytes as a small case: one pattern and a dozen signals. The matcher agrees with the literal reading of the definitions.
#include "tests/fuzz/invariant.hpp"
#include "tests/property/matcher_run.hpp"

using namespace catenary;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto c = property::case_from({data, size});
    const auto difference = property::disagreement(c);
    fuzz::require(!difference, difference ? property::readable(c) + *difference : std::string{});
    return 0;
}
