#pragma once

#include "engine/incidents/finding_order.hpp"
#include "engine/incidents/grouping.hpp"
#include "engine/incidents/records.hpp"
#include "engine/lane/dictionary.hpp"
#include "engine/lane/held_signals.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace catenary::engine {

/// What one stage of a finding adds up to.
struct StageTally {
    std::int64_t count = 0;
    std::optional<SignalHandle> first;     ///< earliest in (time, source, id)
    std::optional<SignalHandle> heaviest;  ///< highest confidence, then earliest
};

/// What a finding's evidence adds up to; grows with each signal, is rebuilt when one goes.
class Evidence {
public:
    enum class Added { is_new, earlier_stage, nothing };
    /// A known signal moves to the earlier of its stages.
    Added add(SignalHandle signal, std::uint8_t stage, const HeldSignals& held, const Dictionary& dictionary);
    void rebuild(std::vector<std::pair<SignalHandle, std::uint8_t>> signals, const HeldSignals& held, const Dictionary& dictionary);

    bool contains(SignalHandle signal) const { return signals_.contains(signal); }
    std::size_t size() const { return signals_.size(); }
    std::uint8_t stage(SignalHandle signal) const { return signals_.at(signal); }
    /// In (time, source, id) order, with the stage each serves.
    std::vector<std::pair<SignalHandle, std::uint8_t>> sorted(const SignalWindow& window) const;
    std::vector<SignalHandle> by_handle() const;
    /// In no order.
    template <class Visit>
    void each(Visit visit) const {
        for (const auto& [signal, stage] : signals_) visit(signal);
    }
    const std::vector<StageTally>& stages() const { return stages_; }
    std::vector<DefinitionId> definitions() const;
    std::size_t distinct_domains() const { return domains_.size(); }
    std::size_t phase_rises() const { return phases_.rises(); }

    /// The signals; what they add up to is counted again.
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in, std::size_t stages, const HeldSignals& held, const Dictionary& dictionary);

private:
    void tally(SignalHandle signal, std::uint8_t stage, const HeldSignals& held, const Dictionary& dictionary);
    void retally(const HeldSignals& held, const Dictionary& dictionary);

    boost::unordered_flat_map<SignalHandle, std::uint8_t, std::hash<SignalHandle>> signals_;
    std::vector<StageTally> stages_;  // up to the last stage seen
    boost::unordered_flat_map<DefinitionId, std::uint32_t, std::hash<DefinitionId>> definitions_;
    boost::unordered_flat_map<Symbol, std::uint32_t, std::hash<Symbol>> domains_;
    PhaseTimes phases_;
};

/// A signal that a condition speaks of; by name, since nothing holds it for the finding.
struct LateSignal {
    SignalRef signal;
    std::uint8_t condition;
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.signal.time, self.signal.source, self.signal.id, self.condition);
    }
    friend bool operator==(const LateSignal&, const LateSignal&) = default;
};

/// A finding in memory.
///
///   waiting --(absence is judged)--> open, or superseded where it is no finding
///   open, waiting --(the matcher takes its id back, or its version ends)--> superseded, and gone
///   open --(it comes to wait again: other signals now make it up)--> superseded, then waiting
///   open --(its incident is closed)--> settled: its evidence stays as it is; more of it goes to a continuation
struct Finding {
    FindingId id;
    FindingId matched_as;  ///< the matcher's id; differs from `id` for the continuation of a finding whose incident was closed
    std::shared_ptr<const Pattern> pattern;
    Mode mode = Mode::production;
    Timestamp start;
    Timestamp end;
    std::vector<EntityId> principals;  ///< sorted by number
    Evidence evidence;
    std::optional<Timestamp> waiting_until;  ///< the watermark that decides; until then it takes part in no incident
    std::vector<LateSignal> late_answers;    ///< what must have been absent and came when that may have been judged, in canonical order
    bool more_late_answers = false;
    std::optional<IncidentNumber> incident;
    bool settled = false;                    ///< belongs to a closed incident
    bool is_short = false;                   ///< more of its evidence is stored than is held: what is stored stays
    std::optional<HandGroup> hand;           ///< where analysts' decisions put it, while it takes part in the partition
    std::uint32_t continuation = 0;          ///< 0: the matcher's own; k: the k-th after a closed incident
    bool indexed = false;                    ///< found by its principals when related incidents are looked for
    std::optional<Timestamp> related_until;  ///< end of activity up to which incidents of the same principals were looked for

    // What is not yet written out.
    bool changed = false;
    bool replace_evidence = false;
    std::vector<SignalHandle> fresh;  ///< evidence to add

    // Place among the findings of its incident by score.
    bool score_stale = true;
    double probability = 0;

    FindingOrder order() const { return {start, id}; }
    /// All but the evidence.
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.id, self.matched_as, self.pattern, self.mode, self.start, self.end, self.principals, self.waiting_until, self.late_answers,
                self.more_late_answers, self.incident, self.settled, self.is_short, self.hand, self.continuation, self.indexed, self.related_until,
                self.changed, self.replace_evidence, self.fresh, self.score_stale, self.probability);
    }
};

Score score_of(const Finding& finding, const HeldSignals& held, const ScoringParameters& parameters);

/// Principals as they are listed, at most 500.
std::vector<EntityKey> listed_principals(const Finding& finding, const Dictionary& dictionary);
EntityKey entity_key(EntityId entity, const Dictionary& dictionary);

/// An absence condition in words: "name = x between access and persistence".
std::string describe(const Absence& absence, const Pattern& pattern);

/// The finding as it is stored and shown, not superseded.
FindingRecord finding_record(const Finding& finding, const Score& score, const HeldSignals& held, const Dictionary& dictionary);

/// One paragraph: what happened, when, to whom, how sure.
std::string finding_summary(const FindingRecord& record, const Finding& finding, const HeldSignals& held, const Dictionary& dictionary);

}  // namespace catenary::engine
