#include "engine/scoring/score.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace catenary::engine {
namespace {

struct TacticPhase {
    std::string_view tactic;
    int phase;
};

// 0 prepare, 1 foothold, 2 establish, 3 expand, 4 gather and control, 5 objective.
constexpr TacticPhase tactic_phases[] = {
    {"TA0001", 1}, {"TA0002", 2}, {"TA0003", 2}, {"TA0004", 2}, {"TA0005", 2}, {"TA0006", 3}, {"TA0007", 3},
    {"TA0008", 3}, {"TA0009", 4}, {"TA0010", 5}, {"TA0011", 4}, {"TA0040", 5}, {"TA0042", 0}, {"TA0043", 0},
};

constexpr std::int64_t not_seen = std::numeric_limits<std::int64_t>::max();

}  // namespace

int phase_of(std::string_view tactic) {
    for (const auto& known : tactic_phases) {
        if (known.tactic == tactic) return known.phase;
    }
    return -1;
}

PhaseTimes::PhaseTimes() { std::fill(std::begin(first_micros), std::end(first_micros), not_seen); }

void PhaseTimes::add(int phase, Timestamp time) {
    if (phase < 0 || phase >= static_cast<int>(std::size(first_micros))) return;
    first_micros[phase] = std::min(first_micros[phase], to_micros(time));
}

std::size_t PhaseTimes::rises() const {
    const auto start = *std::min_element(std::begin(first_micros), std::end(first_micros));
    std::size_t rises = 0;
    for (auto phase = std::begin(first_micros); phase != std::end(first_micros); ++phase) {
        if (*phase == start || *phase == not_seen) continue;  // the phases of the first instant are where the story starts
        // Of the phases of one instant only the highest counts, so that one signal of many tactics is one rise.
        const bool is_highest_so_far = std::all_of(phase + 1, std::end(first_micros), [&](std::int64_t higher) { return higher > *phase; });
        rises += is_highest_so_far ? 1 : 0;
    }
    return rises;
}

}  // namespace catenary::engine
