#pragma once

#include "engine/lane/definitions.hpp"
#include "engine/matching/matcher.hpp"
#include "engine/matching/pattern.hpp"
#include "engine/model/text_hash.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace catenary::engine {

/// Which stages and absence conditions may want a signal: by name where a predicate pins it, then by everything static, which is worked out once a definition.
/// Immutable: the tenants that run just what ships share one.
class StageIndex {
public:
    using Patterns = std::vector<std::shared_ptr<const Pattern>>;

    /// `patterns[i]` is the pattern of deployment i. `generation`: another one for every index that the same Definitions see, never 0.
    StageIndex(Patterns patterns, std::uint64_t generation);
    StageIndex(const StageIndex&) = delete;  // the index has views into its names
    StageIndex& operator=(const StageIndex&) = delete;

    const Patterns& patterns() const { return patterns_; }

    /// One look-up: false when no stage can want a signal of this name.
    bool may_want(std::string_view name) const { return !unnamed_.empty() || by_name_.contains(name); }

    /// Stages of each deployment that a signal of this definition satisfies, or may satisfy.
    const std::vector<DefinitionMatch>& candidates(DefinitionId definition, const SignalView& signal, Definitions& definitions) const;

    /// The candidate's stages that the signal satisfies.
    StageMask satisfied(const DefinitionMatch& candidate, const SignalView& signal) const;

private:
    struct StageRef {
        std::uint32_t deployment;
        std::uint8_t stage;  // or condition, as in a StageMask
        friend auto operator<=>(const StageRef&, const StageRef&) = default;
    };
    Patterns patterns_;
    std::uint64_t generation_;
    boost::unordered_flat_map<std::string_view, std::vector<StageRef>, TextHash> by_name_;  // views into names_
    std::vector<std::unique_ptr<std::string>> names_;
    std::vector<StageRef> unnamed_;
};

/// The stages and absence conditions of one pattern that a signal satisfies.
StageMask satisfied_stages(const Pattern& pattern, const SignalView& signal);

}  // namespace catenary::engine
