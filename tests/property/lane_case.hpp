#pragma once

#include "tests/property/random_case.hpp"
#include "tests/support/lane_story.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

// A case as a lane is told it: what signals satisfy is said by predicates on their attributes.

namespace catenary::property {

/// Gives stages, repeats and absence conditions the predicates that `posted` signals satisfy as the case says.
void make_postable(engine::Pattern& pattern);

/// The signal of a case as a source would send it. `named`: what it names instead of the entities that it may link by.
engine::Signal posted(const oracle::Signal& signal, const std::vector<oracle::Mention>& named);
engine::Signal posted(const oracle::Signal& signal);

/// A finding as the store has it, and as the definitions want it.
struct LaneFinding {
    engine::Timestamp start;
    engine::Timestamp end;
    std::set<std::uint32_t> principals;
    std::map<engine::SignalRef, std::size_t> evidence;  ///< and the stage that it serves
    friend auto operator<=>(const LaneFinding&, const LaneFinding&) = default;
};

/// Findings in the store that are not superseded, sorted.
std::vector<LaneFinding> stored_findings(test::LaneStory& story, const engine::Pattern& pattern);
std::vector<LaneFinding> as_stored(const std::vector<oracle::Finding>& findings);

}  // namespace catenary::property
