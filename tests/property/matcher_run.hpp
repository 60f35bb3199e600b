#pragma once

#include "engine/matching/matcher.hpp"
#include "tests/property/random_case.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace catenary::property {

/// A finding as the deltas leave it.
struct SeenFinding {
    engine::Timestamp start;
    engine::Timestamp end;
    std::set<std::uint32_t> principals;
    std::map<engine::SignalRef, std::size_t> evidence;
    std::optional<engine::Timestamp> waiting_until{};
    std::set<oracle::LateAnswer> late_answers{};
    bool more_late_answers = false;
    friend auto operator<=>(const SeenFinding&, const SeenFinding&) = default;
};
using SeenFindings = std::map<engine::FindingId, SeenFinding>;
std::string as_text(const SeenFindings& findings);

/// Feeds a matcher as a lane does and keeps what its deltas say, as a store does.
class MatcherRun {
public:
    MatcherRun(const engine::Pattern& pattern, engine::Timestamp effective_from);
    MatcherRun(const MatcherRun&) = delete;
    MatcherRun& operator=(const MatcherRun&) = delete;

    void add(const oracle::Signal& signal);
    void move_watermark(engine::Timestamp watermark) { matcher_.move_watermark(watermark); }
    /// Promises the matcher that nothing earlier than `horizon` comes any more. A signal given up twice, or never added, is a breach.
    void expire(engine::Timestamp horizon);
    std::uint64_t work() const { return matcher_.work(); }
    std::uint64_t capped() const { return matcher_.capped(); }
    /// Signals added and not yet given up.
    std::size_t held() const { return refs_.size(); }
    /// Applies the deltas since the last call. A delta that contradicts what came before is a breach.
    const SeenFindings& settle();
    const std::vector<std::string>& breaches() const { return breaches_; }

private:
    void apply(const engine::FindingDelta& delta);

    engine::SignalWindow window_;
    std::map<std::uint32_t, engine::SignalRef> refs_;  // by handle
    std::vector<std::string> link_kinds_;
    engine::PatternMatcher matcher_;
    SeenFindings findings_;
    std::vector<std::string> breaches_;
};

/// The id of a finding whose anchor is this signal, as the simplest pattern there is makes it.
engine::FindingId reference_id(const engine::SignalRef& anchor);

/// What the matcher does other than the oracle for this case, half way and at the end, with deltas taken one by one and all at once; empty: nothing.
std::optional<std::string> disagreement(const Case& c);

}  // namespace catenary::property
