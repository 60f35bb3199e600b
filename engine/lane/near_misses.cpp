#include "engine/lane/near_misses.hpp"

namespace catenary::engine {

bool NearMissAllowance::has_room(Timestamp watermark) {
    const Timestamp day = std::chrono::floor<std::chrono::days>(watermark);
    if (day_ != day) {
        day_ = day;
        today_ = 0;
    }
    return today_ < most_;
}

void NearMissAllowance::take() {
    ++today_;
    ++taken_;
}

}  // namespace catenary::engine
