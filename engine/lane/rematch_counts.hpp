#pragma once

#include <cstdint>

namespace catenary::engine {

/// Counters of re-matches.
struct RematchCounts {
    std::int64_t made = 0;
    std::int64_t signals = 0;   ///< read for them
    std::int64_t cut = 0;       ///< that could not read or match everything: evidence may be missing
    std::int64_t given_up = 0;  ///< signals not matched again: too many waited, or there was too much to read
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.made, self.signals, self.cut, self.given_up);
    }
    friend bool operator==(const RematchCounts&, const RematchCounts&) = default;
};

}  // namespace catenary::engine
