#pragma once

#include "engine/incidents/digest_sum.hpp"
#include "engine/incidents/finding_table.hpp"
#include "engine/incidents/gathered.hpp"
#include "engine/incidents/grouping.hpp"
#include "engine/incidents/hand_placements.hpp"
#include "engine/incidents/principal_index.hpp"
#include "engine/incidents/stored_incidents.hpp"
#include "engine/lane/effects.hpp"
#include "engine/matching/matcher.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace catenary::engine {

/// The entry being applied, as histories name it.
struct EntryStamp {
    Position position;
    Timestamp admitted;
};

/// Findings and incidents of one tenant: what matchers report becomes findings, findings that share evidence become incidents (semantics.md 10),
/// analysts' edits are kept. For each log entry: any number of `take`, `end_version`, `edit`, then one `settle`.
///
///   new -> active -> closed -> active …   by edits
///   new, active -> closed                 by itself, when its last finding is superseded
///   any but closed -> merged              when its findings come to belong to an incident with a smaller number, or by hand; final
///
/// Merges and splits by hand override the grouping and are remembered, also by findings that take the place of those they named. They move findings of
/// incidents that are open and not yet dropped from memory; one that names any other changes nothing but the history ("merge_refused",
/// "split_refused", with the reason).
///
/// A finding of a closed incident stays as it is. Evidence that comes later for it goes to a continuation: a finding of its own that repeats the
/// earlier evidence, in an incident of its own, which names the closed one as related. A new finding all of whose evidence a closed incident has
/// already joins that one: nothing new was seen.
class Incidents {
public:
    Incidents(const Dictionary& dictionary, HeldSignals& held) : dictionary_{dictionary}, held_{held} {}
    Incidents(const Incidents&) = delete;  // groups refer to dictionary and signals

    /// Among which signals a matcher found what it reports.
    enum class FoundAmong {
        window,  ///< those of the window: what is not in memory was never written, unless by an engine before this one
        stored,  ///< those that were read back: what is not in memory may have been written and dropped since, and its evidence is replaced
    };
    /// What one matcher reports.
    void take(std::span<const FindingDelta> deltas, const std::shared_ptr<const Pattern>& pattern, Mode mode, FoundAmong among = FoundAmong::window);
    /// What matching stored signals again has found.
    struct Rematched {
        std::vector<FindingDelta> found;  ///< findings with all their evidence: those that hang together with the seeds
        std::vector<FindingId> former;    ///< findings in memory that did before, by the ids that matching knows them by
        std::vector<SignalHandle> seeds;
        bool is_whole = true;  ///< false: not all could be read, so that nothing is taken back
    };
    /// What was in memory becomes what it is now, or is superseded. A finding whose incident has ended stays as it was, as one of a closed incident does: where
    /// a seed adds to it, or a finding in memory leaves evidence to it, a continuation repeats its evidence in an incident of its own, related to the one that
    /// ended, if that is among the newest 20,000.
    void take_rematched(const Rematched& rematched, const std::shared_ptr<const Pattern>& pattern, Mode mode);
    /// Whether the signal is evidence of a finding of the pattern in memory that matching knows by an id for which `is_it(const FindingId&)`.
    template <class IsIt>
    bool any_with(SignalHandle signal, const Pattern& pattern, IsIt&& is_it) const {
        for (const FindingIndex index : held_.findings(signal)) {
            const Finding& finding = findings_[index];
            if (finding.pattern->id == pattern.id && finding.pattern->version == pattern.version && is_it(finding.matched_as)) return true;
        }
        return false;
    }
    /// The findings of the pattern in memory that have the signal as evidence, by the ids that matching knows them by.
    std::vector<FindingId> found_with(SignalHandle signal, const Pattern& pattern) const;
    /// Of the finding in memory that takes what matching says of `matched_as`, in canonical order; empty: there is none.
    std::vector<SignalHandle> evidence(const FindingId& matched_as) const;
    /// A version of a pattern stops: its findings with activity after `effective_from` are superseded by the earliest one of `successor` that shares
    /// evidence, if any.
    void end_version(const Pattern& former, Timestamp effective_from, const Pattern& successor);
    /// A version of a pattern stops: what it has waiting nothing decides any more, and is superseded.
    void end_waiting(const Pattern& pattern);
    /// A version that was flighting goes into production: so do its findings with activity after `effective_from`.
    void promote(const Pattern& pattern, Timestamp effective_from);
    /// Follows redirects; unknown numbers change nothing. Of an incident whose record was dropped the stored row is changed (TenantEffects::stored_edits).
    void edit(const IncidentEdit& edit, EntryStamp stamp);
    void comment(const IncidentComment& comment, EntryStamp stamp);
    void merge(const IncidentMerge& merge, EntryStamp stamp);
    void split(const IncidentSplit& split, EntryStamp stamp);
    /// How far apart in time incidents of one principal are still related.
    void change_group_within(Duration group_within) { group_within_ = group_within; }
    void change_scoring(const ScoringParameters& parameters);
    /// How many incidents of one pattern and event day stand alone (DailyOpeners); at least one.
    void change_daily_limit(std::size_t limit);
    /// How many entities an incident's record lists, at least one; of those that are in memory as well.
    void change_listed_entities(std::size_t most);
    void settle(EntryStamp stamp);

    /// Of so many incidents the record stays when they ended.
    static constexpr std::size_t most_records = StoredIncidents::most_ended;
    /// Drops from memory what ended before `cutoff`: no entry can change it any more, but edits can. Of its incidents only the records stay, the newest
    /// `most_records` of them; older ones are edited where they are stored. A reopened one stays without its findings. What `is_awaited` has not ended yet, nor has
    /// its incident: it is asked about again the next time.
    void forget(Timestamp cutoff, EntryStamp stamp, const std::function<bool(const Finding&)>& is_awaited);

    /// The earliest start of the findings in memory; empty: there are none.
    std::optional<Timestamp> earliest_activity() const;
    /// What was matched anew becomes what was reported: findings known by their ids are in the incidents that they were in, with all that people made of
    /// those; findings never reported are reported. An incident of which not everything was found again stays as it is stored and takes no more evidence,
    /// as a closed one does; one of which nothing was found again has ended. `newest`: event time of the newest signal that was matched;
    /// what starts no later may be stored already. Right after `write` only; incidents must not have been edited before.
    void carry_over(const StoredIncidents& stored, Timestamp newest, EntryStamp stamp);

    /// Moves what changed since the last call into the effects.
    void write(TenantEffects& effects);

    /// Adds findings and groups, also those dropped from memory.
    void digest(DigestSum& findings, DigestSum& groups) const;
    /// Bytes held, roughly, for diagnostics.
    std::size_t bytes() const;
    /// Findings that came into an aggregate.
    std::int64_t aggregated() const { return aggregated_; }
    /// Incidents that came to have more entities than their record lists.
    std::int64_t cut_short() const { return cut_short_; }

    /// Whether nothing changed since the last `write`.
    bool is_written() const;
    /// Between two entries.
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);

private:
    struct Incident {
        IncidentRecord record;                 // what follows from the findings is as of the last `refresh`
        std::optional<GroupIndex> group;       // set while it takes part in the partition
        std::unique_ptr<Gathered> gathered;    // null: merged, emptied or dropped
        std::optional<std::string> title;      // edited
        std::optional<Severity> severity;      // edited
        std::vector<IncidentNumber> absorbed;  // those that redirect here
        std::size_t announced_signals = 0;     // in the history
        std::vector<FindingId> ended;          // its findings, once they are no longer in memory
        bool as_stored = false;                // not all its findings are held: its record is not made of them
        std::optional<std::size_t> beyond;     // of an aggregate: how many stand alone beside it
        bool is_cut_short = false;             // had more entities than are listed
        bool is_new = false;                   // made by this entry
        /// Its findings have no more than pattern and day in common.
        bool is_aggregate() const { return beyond.has_value(); }
        /// All but what its findings add up to.
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.record, self.group, self.title, self.severity, self.absorbed, self.announced_signals, self.ended, self.as_stored, self.beyond,
                    self.is_cut_short);
        }
    };
    struct Leaving {
        FindingIndex finding;
        std::optional<FindingId> successor;
    };
    /// A finding that held and is to wait under the same id, once it has left.
    struct WaitingAgain {
        FindingDelta delta;
        std::shared_ptr<const Pattern> pattern;
        Mode mode;
    };
    struct Written {
        FindingChange change;
        std::vector<EvidenceAddition> evidence;
    };
    /// The merge or split that this entry is.
    struct ByHand {
        std::string actor;
        std::string reason;
        IncidentNumber keeps;               // its number, whatever its findings come to
        std::set<IncidentNumber> absorbed;  // by a merge
        std::optional<HandGroup> apart;     // of a split: what leaves
        std::vector<FindingIndex> moved;
    };
    /// The findings in memory by the incidents that they were reported in, while those are carried over.
    struct Carried {
        struct Known {
            const IncidentRecord* record;
            std::size_t stored = 0;              // findings that it had
            std::vector<FindingIndex> findings;  // those of them that were found again
            bool is_short = false;               // some of them not with all their evidence
            bool is_aggregate = false;
            bool goes_on() const { return record->status != IncidentStatus::closed && findings.size() == stored; }
        };
        std::map<IncidentNumber, Known> known;
        boost::unordered_flat_map<FindingId, const StoredFinding*, FindingIdHash> findings;
    };
    struct Place;  // a group that moves touched, while numbers are given
    using Places = std::map<GroupIndex, Place>;

    // findings and their evidence (incidents_evidence.cpp)
    /// As matching found it, under its id or that of a continuation; in no incident yet.
    FindingIndex add_found(const FindingId& id, std::uint32_t continuation, const FindingDelta& delta, const std::shared_ptr<const Pattern>& pattern, Mode mode,
                           FoundAmong among);
    void open(const FindingDelta& delta, const std::shared_ptr<const Pattern>& pattern, Mode mode, FoundAmong among);
    void update(FindingIndex index, const FindingDelta& delta, Mode mode);
    void take_absence(FindingIndex index, const FindingDelta& delta);
    bool waits_again(const FindingDelta& delta) const;
    void find_incident(FindingIndex index);
    void supersede_reported(const FindingDelta& delta);
    void supersede(FindingIndex index, std::optional<FindingId> successor);
    std::optional<FindingIndex> taker_of(const FindingId& matched_as);
    static FindingId continuation_id(const FindingId& matched_as, std::uint32_t number);
    std::uint32_t next_continuation(const FindingId& matched_as, std::uint32_t after) const;
    FindingIndex add_continuation(FindingIndex of, std::uint32_t number);
    FindingIndex continue_settled(FindingIndex index, bool waits);
    void start_grouping(FindingIndex index);

    // what was matched again (incidents_rematched.cpp)
    std::vector<FindingDelta> superseded_by(std::span<const FindingDelta> found, std::span<const FindingId> former) const;
    bool is_as_found(FindingIndex index, const FindingDelta& delta) const;
    void tell_change(FindingIndex index, FindingDelta& delta) const;
    std::map<FindingId, IncidentNumber, FindingIdLess> ended_among(std::span<const FindingDelta> found) const;
    bool has_ended(const FindingId& id) const { return ended_.contains(id); }
    void note_ended(IncidentNumber number, const FindingId& id);
    void continue_ended(const FindingDelta& delta, IncidentNumber ended, const std::shared_ptr<const Pattern>& pattern, Mode mode);

    void add_evidence(FindingIndex index, StageEvidence added);
    void replace_evidence(FindingIndex index, std::span<const StageEvidence> whole);
    void link(FindingIndex index, SignalHandle signal);
    void connect(FindingIndex index, SignalHandle signal);
    void unlink(FindingIndex index, SignalHandle signal);
    void change_span(FindingIndex index, Timestamp start, Timestamp end);
    void change_principals(FindingIndex index, std::vector<EntityId> principals);
    std::optional<IncidentNumber> closed_incident_covering(const Finding& finding) const;
    void mark(FindingIndex index);
    Gathered* gathered_of(const Finding& finding);

    // numbers (incidents_settle.cpp)
    void renumber(const std::vector<Grouping::Move>& moves, EntryStamp stamp);
    Places affected_places(const std::vector<Grouping::Move>& moves);
    void claim_numbers(Places& places, EntryStamp stamp);
    void redirect_released(const std::vector<Grouping::Move>& moves, const Places& places, EntryStamp stamp);
    void apply_moves(const std::vector<Grouping::Move>& moves, Places& places, EntryStamp stamp);
    void redirect(IncidentNumber from, IncidentNumber into, EntryStamp stamp);
    void close_emptied(IncidentNumber number, EntryStamp stamp);
    void finish_leaving(EntryStamp stamp);
    void finish_touched(EntryStamp stamp);
    std::set<IncidentNumber> former_numbers(FindingIndex index) const;

    // related incidents (incidents_related.cpp)
    void relate_found(const std::vector<Grouping::Move>& moves);
    void look_whole(FindingIndex index);
    void relate_by_principal(FindingIndex index);
    void relate(IncidentNumber left, IncidentNumber right);
    void relate_one_way(IncidentNumber from, IncidentNumber to);

    // merges and splits (incidents_by_hand.cpp)
    std::string why_fixed(IncidentNumber number) const;
    void place(const std::vector<FindingIndex>& findings, HandGroup hand);
    void announce_merge(IncidentNumber from, IncidentNumber into, EntryStamp stamp);
    void announce_split(EntryStamp stamp);

    // edits (incidents_edit.cpp)
    bool was_dropped(IncidentNumber number) const;
    void edit_dropped(IncidentNumber number, const IncidentEdit& edit, EntryStamp stamp);
    void change_status(IncidentNumber number, IncidentStatus status, EntryStamp stamp, const std::string& actor);
    void leave_partition(IncidentNumber number);
    void enter_partition(IncidentNumber number);

    // what was reported before (incidents_carried.cpp)
    void forget_partition();
    void find_again(FindingIndex index, Carried& carried);
    void group_again(Carried& carried);
    std::vector<FindingIndex> last_first(std::vector<FindingIndex> findings) const;
    bool is_as_stored(FindingIndex index, const StoredFinding& stored) const;
    std::vector<StageEvidence> evidence_among(FindingIndex index, const std::vector<SignalRef>& wanted) const;
    std::vector<EntityId> principals_among(FindingIndex index, const std::vector<EntityKey>& wanted) const;
    void forget_changes(FindingIndex index);
    void rewrite(FindingIndex index);
    void keep_as_stored(Incident& incident, const Carried::Known& known);
    void keep_words(Incident& incident, const IncidentRecord& was);
    std::set<IncidentNumber> grouped_otherwise(const std::map<FindingIndex, IncidentNumber>& numbers) const;
    void group_as_stored(const std::vector<FindingIndex>& findings, const Carried& carried, EntryStamp stamp);
    void report_others(const Carried& carried);

    // output (incidents_output.cpp)
    void refresh(Incident& incident);
    void touch(IncidentNumber number) { touched_.insert(number); }
    void note(IncidentNumber number, EntryStamp stamp, std::string what, std::string detail, std::string actor = "catenary");
    Written written(const Finding& finding);
    void write_finding(FindingIndex index);
    std::string digest_text(const Finding& finding) const;
    std::string digest_text(const Gathered& group) const;
    IncidentNumber resolve(IncidentNumber number) const;
    void erase(FindingIndex index);
    std::set<IncidentNumber> with_findings() const;
    void drop_oldest_records();

    // snapshots (incidents_snapshot.cpp)
    template <class Archive, class Self>
    static void counters(Archive& archive, Self& self) {
        archive(self.scoring_, self.last_number_, self.group_within_, self.superseded_, self.written_until_, self.dropped_findings_, self.dropped_groups_,
                self.aggregated_, self.cut_short_);
    }
    void gather_again(Incident& incident, SnapshotReader& in);
    void load_links();

    const Dictionary& dictionary_;
    HeldSignals& held_;
    ScoringParameters scoring_;
    FindingTable findings_;
    Grouping grouping_;
    HandPlacements hands_{held_};
    PrincipalIndex principals_;
    std::map<IncidentNumber, Incident> incidents_;
    std::map<GroupIndex, IncidentNumber> numbers_;  // of the groups in the partition
    std::int64_t last_number_ = 0;
    std::size_t evidence_held_ = 0;                                              // over all findings
    boost::unordered_flat_map<FindingId, IncidentNumber, FindingIdHash> ended_;  // findings no longer in memory, with the newest incident that had them
    Duration group_within_ = std::chrono::hours{24};
    std::size_t listed_entities_ = ListedEntities::usual_most;
    std::int64_t aggregated_ = 0;
    std::int64_t cut_short_ = 0;

    // of the entry being applied
    std::vector<Leaving> leaving_;
    std::vector<WaitingAgain> waiting_again_;
    std::map<FindingIndex, std::set<IncidentNumber>> inherited_;       // incidents of the findings that one takes the place of
    std::vector<std::pair<FindingIndex, FindingId>> settled_revised_;  // findings of closed incidents whose id was taken back
    std::set<std::pair<FindingIndex, FindingIndex>> new_connections_;
    std::set<std::pair<FindingIndex, IncidentNumber>> near_closed_;
    std::set<FindingIndex> look_for_related_;
    std::set<IncidentNumber> touched_;
    std::optional<ByHand> by_hand_;

    // since the last `write`
    std::set<FindingIndex> changed_findings_;
    std::map<FindingId, Written, FindingIdLess> finished_;  // findings no longer in memory
    std::set<IncidentNumber> changed_incidents_;
    std::vector<IncidentRecord> dropped_records_;  // changed and then dropped from memory
    std::vector<StoredEdit> stored_edits_;
    std::vector<IncidentActivity> activity_;
    std::map<FindingId, Timestamp, FindingIdLess> superseded_;  // ids whose stored evidence a finding of the same id must replace; end of activity
    Timestamp written_until_ = Timestamp::min();                // findings that start no later may have been written by an engine that was carried over

    DigestSum dropped_findings_;
    DigestSum dropped_groups_;
};

}  // namespace catenary::engine
