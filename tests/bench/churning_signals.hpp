#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

namespace catenary::bench {

/// Signals a tenth of a second of event time apart, so that months pass in half an hour and everything that is kept for a while is also forgotten. One in
/// ten is the first stage of a shipped pattern, one in two thousand completes a chain. Of 20,000 people and machines one leaves and one comes with every
/// hundredth signal.
class ChurningSignals {
public:
    explicit ChurningSignals(std::uint64_t seed) : random_{seed} {}
    /// NDJSON of so many signals.
    std::string body(std::size_t signals);

private:
    void append_line(std::string& text);
    std::int64_t somebody();

    std::mt19937_64 random_;
    std::int64_t serial_ = 0;
};

}  // namespace catenary::bench
