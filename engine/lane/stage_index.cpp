#include "engine/lane/stage_index.hpp"

#include <algorithm>
#include <bit>

namespace catenary::engine {

namespace {

StageMask bit(std::size_t place) { return static_cast<StageMask>(1U << place); }

/// Calls `visit(place, predicate)` for each stage and absence condition, as they stand in a StageMask.
template <class Visit>
void each_predicate(const Pattern& pattern, Visit visit) {
    for (std::size_t stage = 0; stage < pattern.stages.size(); ++stage) visit(static_cast<std::uint8_t>(stage), pattern.stages[stage].match);
    for (std::size_t i = 0; i < pattern.absent.size(); ++i) visit(static_cast<std::uint8_t>(first_absence + i), pattern.absent[i].match);
}

const Predicate& predicate_at(const Pattern& pattern, std::size_t place) {
    return place < first_absence ? pattern.stages[place].match : pattern.absent[place - first_absence].match;
}

}  // namespace

StageIndex::StageIndex(Patterns patterns, std::uint64_t generation) : patterns_{std::move(patterns)}, generation_{generation} {
    for (std::uint32_t deployment = 0; deployment < patterns_.size(); ++deployment) {
        each_predicate(*patterns_[deployment], [&](std::uint8_t place, const Predicate& match) {
            const auto names = match.required_names();
            if (!names) {
                unnamed_.push_back({deployment, place});
                return;
            }
            for (const std::string& name : *names) {
                auto wanted = by_name_.find(name);
                if (wanted == by_name_.end())
                    wanted = by_name_.emplace(*names_.emplace_back(std::make_unique<std::string>(name)), std::vector<StageRef>{}).first;
                wanted->second.push_back({deployment, place});
            }
        });
    }
}

const std::vector<DefinitionMatch>& StageIndex::candidates(DefinitionId definition, const SignalView& signal, Definitions& definitions) const {
    if (const auto* noted = definitions.matches(definition, generation_)) return *noted;
    std::vector<StageRef> stages = unnamed_;
    if (const auto named = by_name_.find(signal.name); named != by_name_.end()) stages.insert(stages.end(), named->second.begin(), named->second.end());
    std::sort(stages.begin(), stages.end());
    std::vector<DefinitionMatch> matches;
    for (const auto& [deployment, stage] : stages) {
        const Predicate& predicate = predicate_at(*patterns_[deployment], stage);
        const bool is_static = predicate.is_static();
        if (is_static && !predicate.matches(signal)) continue;
        if (matches.empty() || matches.back().deployment != deployment) matches.push_back({deployment, 0, 0});
        auto& mask = is_static ? matches.back().certain : matches.back().open;
        mask = static_cast<StageMask>(mask | bit(stage));
    }
    return definitions.note(definition, generation_, std::move(matches));
}

StageMask StageIndex::satisfied(const DefinitionMatch& candidate, const SignalView& signal) const {
    StageMask mask = candidate.certain;
    const Pattern& pattern = *patterns_[candidate.deployment];
    for (unsigned open = candidate.open; open != 0; open &= open - 1) {
        const auto place = static_cast<std::size_t>(std::countr_zero(open));
        if (predicate_at(pattern, place).matches(signal)) mask = static_cast<StageMask>(mask | bit(place));
    }
    return mask;
}

StageMask satisfied_stages(const Pattern& pattern, const SignalView& signal) {
    StageMask mask = 0;
    each_predicate(pattern, [&](std::uint8_t place, const Predicate& match) {
        if (match.matches(signal)) mask = static_cast<StageMask>(mask | bit(place));
    });
    return mask;
}

}  // namespace catenary::engine
