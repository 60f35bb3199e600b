#pragma once

#include "engine/matching/unfinished_chain.hpp"
#include "engine/model/ids.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

namespace catenary::engine {

/// Chains that are part-way in one matcher, looked for within bounds.
class PartialSearch {
public:
    PartialSearch(Timestamp watermark, std::optional<EntityId> of) : now{watermark}, entity{of} {}

    /// So many attempts are looked at; a look takes some tens of nanoseconds.
    static constexpr std::size_t most_examined = 500'000;
    /// So many of those, that lack fewest stages as far as a glance tells and were active last, are worked out.
    static constexpr std::size_t most_worked_out = 1'000;

    Timestamp now;                   ///< the watermark: chains whose wait ended before are over
    std::optional<EntityId> entity;  ///< only chains that it links
    std::size_t examined = 0;        ///< by all matchers so far
    bool is_complete = true;         ///< no bound was reached
    std::vector<UnfinishedChain> found = {};

    /// What a glance at an attempt or group tells.
    struct Candidate {
        std::size_t lacks;
        Timestamp newest;
        std::uint64_t place;  ///< where its owner finds it
        friend bool operator<(const Candidate& left, const Candidate& right) {
            return std::tuple{left.lacks, right.newest, left.place} < std::tuple{right.lacks, left.newest, right.place};
        }
    };
    /// Keeps the candidate unless there are many better ones.
    void offer(std::vector<Candidate>& candidates, Candidate candidate) {
        candidates.push_back(candidate);
        if (candidates.size() >= 4 * most_worked_out) keep_best(candidates);
    }
    /// Those to be worked out, best first.
    std::vector<Candidate> best_of(std::vector<Candidate> candidates) {
        if (candidates.size() > most_worked_out) keep_best(candidates);
        std::sort(candidates.begin(), candidates.end());
        return candidates;
    }
    /// Whether one more may be looked at.
    bool may_examine() {
        if (examined < most_examined) return ++examined > 0;
        is_complete = false;
        return false;
    }

private:
    void keep_best(std::vector<Candidate>& candidates) {
        is_complete = false;
        std::nth_element(candidates.begin(), candidates.begin() + most_worked_out, candidates.end());
        candidates.resize(most_worked_out);
    }
};

}  // namespace catenary::engine
