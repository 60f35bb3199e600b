#pragma once

#include <cstdio>
#include <cstdlib>

/// States what must hold if our own code is right; on in release too. Never for input. The process aborts and the lane is rebuilt from the log.
#define CATENARY_ASSERT(condition, message)                                                                     \
    do {                                                                                                        \
        if (!(condition)) [[unlikely]] {                                                                        \
            std::fprintf(stderr, "%s:%d: assertion failed: %s: %s\n", __FILE__, __LINE__, #condition, message); \
            std::abort();                                                                                       \
        }                                                                                                       \
    } while (false)
