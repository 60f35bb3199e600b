#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

namespace catenary::bench {

/// Makes NDJSON bodies of signals as a busy site sends them: about 512 bytes each, 40 names of 4 sources, 2.8 entities of 20,000 by a Zipf-like law,
/// ids that never repeat, one millisecond of event time apart.
class SignalGenerator {
public:
    explicit SignalGenerator(std::uint64_t seed) : random_{seed} {}
    std::string body(std::size_t signals);

private:
    int zipf();
    void append_line(std::string& text);

    std::mt19937_64 random_;
    std::uint64_t serial_ = 0;
};

}  // namespace catenary::bench
