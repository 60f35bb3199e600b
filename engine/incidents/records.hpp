#pragma once

#include "engine/lane/control.hpp"
#include "engine/matching/pattern.hpp"
#include "engine/model/entity_key.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/signal.hpp"
#include "engine/scoring/score.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace catenary::engine {

enum class FindingState { open, waiting, superseded };
const char* to_string(FindingState state);

/// One stage of a finding, as explained to people.
struct StageSummary {
    std::string id;
    std::int64_t count = 0;              ///< evidence signals that serve it (earliest stage each)
    std::optional<SignalRef> first;      ///< its earliest signal; empty: an optional stage left empty
    std::vector<std::string> because;    ///< Predicate::describe of the stage
    std::optional<Duration> after;       ///< from the previous reached stage's earliest signal to this one's
    std::optional<Duration> limit;       ///< what `after` may be at most: the stage's own `within`, else the pattern's
    std::optional<EntityKey> linked_by;  ///< the first principal, where the pattern links and the stage was reached
    bool operator==(const StageSummary&) const = default;
};

/// A signal that meets an absence condition but came behind the watermark.
struct LateAnswerRecord {
    SignalRef signal;
    std::string absence;  ///< which condition, in words
    bool operator==(const LateAnswerRecord&) const = default;
};

/// A finding as it is stored and shown. Rewritten as a whole whenever it changes.
struct FindingRecord {
    FindingId id;
    FindingState state = FindingState::open;
    std::string pattern;
    std::int32_t version = 1;
    Mode mode = Mode::production;
    std::string title;
    Severity severity = Severity::medium;
    std::vector<std::string> tactics;  ///< of pattern and evidence, sorted
    std::vector<std::string> techniques;
    std::vector<std::string> domains;  ///< of the evidence, sorted
    std::vector<EntityKey> principals;
    Timestamp start;
    Timestamp end;
    Score score;
    std::vector<StageSummary> stages;
    std::int64_t evidence_total = 0;
    std::optional<FindingId> superseded_by;
    std::optional<Timestamp> waiting_until;      ///< of a waiting one: the watermark that decides, or the first of several
    std::vector<std::string> absences;           ///< what must be absent, in words: the pattern's conditions
    std::vector<LateAnswerRecord> late_answers;  ///< at most 16, the earliest
    bool more_late_answers = false;
    std::optional<IncidentNumber> incident;  ///< empty: flighting, waiting or superseded
    std::string summary;                     ///< one paragraph: what happened
};

/// An incident as it is stored and shown (semantics.md 10).
struct IncidentRecord {
    IncidentNumber number;
    std::string title;
    std::string summary;
    Severity severity = Severity::medium;
    double score = 0;
    IncidentStatus status = IncidentStatus::new_;
    std::optional<Classification> classification;
    std::string classification_reason;
    std::string owner;                ///< "" = nobody
    std::vector<std::string> labels;  ///< sorted
    std::vector<std::string> tactics;
    std::vector<std::string> techniques;
    std::vector<std::string> domains;
    std::vector<std::string> patterns;  ///< pattern ids of its findings, sorted
    std::vector<EntityKey> principals;
    std::vector<EntityKey> entities;  ///< of the evidence, principals first, as many as the tenant lists; entity_total has the true number
    std::int64_t entity_total = 0;
    Timestamp first_activity;
    Timestamp last_activity;
    Timestamp created;  ///< admission time of the entry that made it
    Timestamp updated;
    std::int64_t signal_count = 0;  ///< distinct evidence signals
    std::int64_t finding_count = 0;
    std::int64_t revision = 1;                  ///< grows with every change
    std::optional<IncidentNumber> merged_into;  ///< set: answers as a redirect
    std::vector<IncidentNumber> related;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.number, self.title, self.summary, self.severity, self.score, self.status, self.classification, self.classification_reason, self.owner,
                self.labels, self.tactics, self.techniques, self.domains, self.patterns, self.principals, self.entities, self.entity_total, self.first_activity,
                self.last_activity, self.created, self.updated, self.signal_count, self.finding_count, self.revision, self.merged_into, self.related);
    }
    bool operator==(const IncidentRecord&) const = default;
};

/// One line of an incident's history.
struct IncidentActivity {
    IncidentNumber number;
    Position position;   ///< of the entry that caused it
    Timestamp at;        ///< admission time of that entry
    std::string actor;   ///< key id, or "catenary"
    std::string what;    ///< created, evidence_added, status_changed, classified, labels_changed, commented, merged, split, merge_refused …
    std::string detail;  ///< for people
};

}  // namespace catenary::engine
