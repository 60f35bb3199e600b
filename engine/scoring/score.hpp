#pragma once

#include "engine/model/time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::engine {

/// Constants of semantics.md 6; per tenant settings later.
struct ScoringParameters {
    double base_rate = 0.01;       ///< π
    double source_discount = 0.7;  ///< ρ: the k-th contribution of one source counts ρ^k
    double domain_bonus = 1.0;     ///< bits for each domain beyond the first
    double phase_bonus = 0.5;      ///< bits for each rise in phase beyond the first
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.base_rate, self.source_discount, self.domain_bonus, self.phase_bonus);
    }
    bool operator==(const ScoringParameters&) const = default;
};

/// A signal's own weight in bits: log2(c/(1-c)) - log2(π/(1-π)), c clipped to [0.001, 0.999], below zero counts as zero.
double weight_bits(double confidence, const ScoringParameters& parameters);

/// What one stage (pattern) or name (emergent) offers to the score: its heaviest signal.
struct ScoreInput {
    std::string stage;
    std::string source;  ///< of the heaviest signal
    double confidence;   ///< of the heaviest signal
    double bits;         ///< its weight, before any discount
};

struct Contribution {
    std::string stage;
    double bits;         ///< after the discount
    std::string reason;  ///< "own confidence 0.35; third of source entra_id: × 0.49"
    bool operator==(const Contribution&) const = default;
};

/// total_bits == prior_bits + Σ contributions + domain_bonus_bits + phase_bonus_bits, exactly when added from left to right; probability == 1 / (1 + 2^-total_bits).
struct Score {
    double prior_bits = 0;
    std::vector<Contribution> contributions;  ///< heaviest first
    double domain_bonus_bits = 0;
    double phase_bonus_bits = 0;
    double total_bits = 0;
    double probability = 0;
    bool operator==(const Score&) const = default;
};

/// Canonical: the result depends on the set of inputs, not on their order. Of several inputs of one stage the heaviest counts.
/// `phase_rises` as PhaseTimes::rises counts them: the first rise earns nothing, each further one the bonus.
Score score(std::vector<ScoreInput> inputs, std::size_t distinct_domains, std::size_t phase_rises, const ScoringParameters& parameters);

/// Kill-chain phase of an ATT&CK tactic, 0 prepare .. 5 objective (semantics.md 5); -1 for an unknown id.
int phase_of(std::string_view tactic);

/// First time each phase was seen (index = phase), from which the rises follow whatever order signals arrived in.
struct PhaseTimes {
    std::int64_t first_micros[6];  ///< INT64_MAX: not seen
    PhaseTimes();
    void add(int phase, Timestamp time);
    /// Number of instants after the first at which a higher phase than all before appears: 1 for foothold, then establish.
    std::size_t rises() const;
};

}  // namespace catenary::engine
