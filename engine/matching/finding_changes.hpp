#pragma once

#include "engine/matching/finding_cut.hpp"
#include "engine/matching/matcher.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace catenary::engine {

/// A finding as it was or is, for comparison.
struct FindingRevision {
    FindingId id;
    SignalHandle anchor;
    InstanceSpan opening;
    Timestamp start;
    Timestamp end;
    std::vector<EntityId> principals;
    std::vector<StageEvidence> evidence;  ///< all of it, sorted by handle
    std::optional<Timestamp> waiting_until{};
    std::vector<LateAnswer> late_answers{};
    bool more_late_answers = false;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.id, self.anchor, self.opening, self.start, self.end, self.principals, self.evidence, self.waiting_until, self.late_answers,
                self.more_late_answers);
    }
};

/// In canonical order of the signals.
void sort_canonically(std::vector<StageEvidence>& evidence, const SignalWindow& window);

/// What differs, appended to `deltas`. Both hold all findings of what they speak of; `successor`: the finding that holds the first instance of one that
/// is no more, if there is one.
void report_changes(const std::vector<FindingRevision>& before, const std::vector<FindingRevision>& after, const SignalWindow& window,
                    const std::function<std::optional<FindingId>(const FindingRevision&)>& successor, std::vector<FindingDelta>& deltas);

/// The canonical order of changes: a successor before whom it succeeds.
void sort_canonically(std::vector<FindingDelta>& changes);

}  // namespace catenary::engine
