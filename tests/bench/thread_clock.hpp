#pragma once

#include <ctime>

namespace catenary::bench {

/// Processor time of this thread, in nanoseconds: what others do on the machine counts only as far as it shares caches and memory.
inline double thread_nanoseconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

}  // namespace catenary::bench
