#pragma once

#include "engine/lane/lane.hpp"

#include <cstddef>

namespace catenary::bench {

/// Bytes held, each a mean over what is held.
struct PartBytes {
    double window_signal;            ///< in use by the allocator, its own overhead included
    double window_signal_accounted;  ///< as HeldSignals counts them
    double attempt;                  ///< of one pattern on one entity, as malloc counts them
    double attempt_accounted;        ///< as PatternMatcher counts them
    double signals_an_attempt;
};

/// Measures the window and the matchers of all patterns apart from each other and from what else a lane holds, with `signals` of the mix, a tenth of them
/// wanted: the window after it was filled twice over and forgot as many, the matchers with signals of all stages but the last one that is needed.
PartBytes bytes_of_parts(const engine::Catalogue& patterns, std::size_t signals);

}  // namespace catenary::bench
