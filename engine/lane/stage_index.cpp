#include "engine/lane/stage_index.hpp"

#include <algorithm>

namespace catenary::engine {

namespace {

StageMask bit(std::size_t stage) { return static_cast<StageMask>(1U << stage); }

}  // namespace

StageIndex::StageIndex(Patterns patterns, std::uint64_t generation) : patterns_{std::move(patterns)}, generation_{generation} {
    for (std::uint32_t deployment = 0; deployment < patterns_.size(); ++deployment) {
        const auto& stages = patterns_[deployment]->stages;
        for (std::uint8_t stage = 0; stage < stages.size(); ++stage) {
            const auto names = stages[stage].match.required_names();
            if (!names) {
                unnamed_.push_back({deployment, stage});
                continue;
            }
            for (const std::string& name : *names) {
                auto place = by_name_.find(name);
                if (place == by_name_.end()) place = by_name_.emplace(*names_.emplace_back(std::make_unique<std::string>(name)), std::vector<StageRef>{}).first;
                place->second.push_back({deployment, stage});
            }
        }
    }
}

const std::vector<DefinitionMatch>& StageIndex::candidates(DefinitionId definition, const SignalView& signal, Definitions& definitions) const {
    if (const auto* noted = definitions.matches(definition, generation_)) return *noted;
    std::vector<StageRef> stages = unnamed_;
    if (const auto named = by_name_.find(signal.name); named != by_name_.end()) stages.insert(stages.end(), named->second.begin(), named->second.end());
    std::sort(stages.begin(), stages.end());
    std::vector<DefinitionMatch> matches;
    for (const auto& [deployment, stage] : stages) {
        const Predicate& predicate = patterns_[deployment]->stages[stage].match;
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
    const auto& stages = patterns_[candidate.deployment]->stages;
    for (std::size_t stage = 0; candidate.open >> stage != 0; ++stage) {
        if ((candidate.open & bit(stage)) != 0 && stages[stage].match.matches(signal)) mask = static_cast<StageMask>(mask | bit(stage));
    }
    return mask;
}

StageMask satisfied_stages(const Pattern& pattern, const SignalView& signal) {
    StageMask mask = 0;
    for (std::size_t stage = 0; stage < pattern.stages.size(); ++stage) {
        if (pattern.stages[stage].match.matches(signal)) mask = static_cast<StageMask>(mask | bit(stage));
    }
    return mask;
}

}  // namespace catenary::engine
