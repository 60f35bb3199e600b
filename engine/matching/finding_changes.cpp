#include "engine/matching/finding_changes.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

namespace catenary::engine {

void sort_canonically(std::vector<StageEvidence>& evidence, const SignalWindow& window) {
    std::sort(evidence.begin(), evidence.end(),
              [&](const StageEvidence& left, const StageEvidence& right) { return window.before(left.signal, right.signal); });
}

void sort_canonically(std::vector<FindingDelta>& changes) {
    std::sort(changes.begin(), changes.end(), [](const FindingDelta& left, const FindingDelta& right) {
        const auto rank = [](const FindingDelta& one) { return std::make_tuple(one.kind == FindingDelta::Kind::superseded, one.start, one.id); };
        return rank(left) < rank(right);
    });
}

void report_changes(const std::vector<FindingRevision>& before, const std::vector<FindingRevision>& after, const SignalWindow& window,
                    const std::function<std::optional<FindingId>(const FindingRevision&)>& successor, std::vector<FindingDelta>& deltas) {
    std::map<FindingId, const FindingRevision*> former;
    for (const FindingRevision& one : before) former.emplace(one.id, &one);
    std::map<FindingId, const FindingRevision*> now;
    for (const FindingRevision& one : after) now.emplace(one.id, &one);

    for (const FindingRevision& one : after) {
        FindingDelta delta{FindingDelta::Kind::opened, one.id, {}, one.start, one.end, one.principals, std::nullopt, one.waiting_until, one.late_answers,
                           one.more_late_answers};
        const auto known = former.find(one.id);
        if (known == former.end()) {
            delta.added = one.evidence;
        } else {
            const FindingRevision& old = *known->second;
            std::set_difference(
                one.evidence.begin(), one.evidence.end(), old.evidence.begin(), old.evidence.end(), std::back_inserter(delta.added),
                [](const StageEvidence& left, const StageEvidence& right) { return std::tie(left.signal, left.stage) < std::tie(right.signal, right.stage); });
            const bool nothing_gone = delta.added.size() + old.evidence.size() == one.evidence.size();
            const bool says_the_same = old.start == one.start && old.end == one.end && old.principals == one.principals &&
                                       old.waiting_until == one.waiting_until && old.late_answers == one.late_answers &&
                                       old.more_late_answers == one.more_late_answers;
            if (nothing_gone && delta.added.empty() && says_the_same) continue;
            const bool waits_again = one.waiting_until && !old.waiting_until;
            const bool grows = nothing_gone && !waits_again;
            delta.kind = grows ? FindingDelta::Kind::extended : FindingDelta::Kind::revised;
            if (!grows) delta.added = one.evidence;
        }
        sort_canonically(delta.added, window);
        deltas.push_back(std::move(delta));
    }
    for (const FindingRevision& one : before) {
        if (now.contains(one.id)) continue;
        deltas.push_back({FindingDelta::Kind::superseded, one.id, {}, one.start, one.end, one.principals, successor(one)});
    }
}

}  // namespace catenary::engine
