#pragma once

#include "engine/matching/finding_changes.hpp"
#include "engine/matching/finding_cut.hpp"
#include "engine/matching/finding_tail.hpp"
#include "engine/matching/matcher.hpp"
#include "engine/matching/timeline.hpp"

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace catenary::engine {

/// Which instances hang together through shared signals, over all timelines of one pattern, and the findings they make. A vertex is a completion of
/// a timeline; a set is a connected set of semantics.md 4.3. Sets grow and merge in place; a set that may have fallen apart is put together again
/// from what its timelines say.
class ConnectedSets {
public:
    /// `names_principals`: the entities of its timelines are what findings are of (under `link: same`; a chain of one stage has no pair that an entity links).
    ConnectedSets(std::string identity, bool names_principals) : identity_{std::move(identity)}, names_principals_{names_principals} {}

    /// A timeline has a further signal, not worked out yet.
    void saw(const Timeline& timeline, const TimelineEntry& entry, TimelineContext& context);
    /// Takes in what `timeline.process` changed.
    void take_changes(Timeline& timeline, TimelineContext& context);

    /// Brings the findings in line with the sets; appends what changed, in canonical order.
    void settle(TimelineContext& context, std::vector<FindingDelta>& deltas);

    /// For every timeline with members, from which time on its entries are still needed, besides `reach`: no instance that is still to come starts
    /// before `reach`. Forgets the sets that ended before it. Only when settled.
    boost::unordered_flat_map<const Timeline*, Timestamp> expire(Timestamp horizon, Timestamp reach, TimelineContext& context);
    /// The timeline's completions were numbered anew.
    void renumber(const Timeline& timeline);

    std::size_t bytes() const;

    /// When settled only.
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in, const FindingTail::TimelineOf& timelines, const TimelineContext& context);
    /// Whether a vertex is there, of a completion of this timeline.
    bool knows(std::uint32_t vertex, const Timeline& timeline) const { return vertex < vertices_.size() && vertices_[vertex].timeline == &timeline; }

private:
    using VertexId = std::uint32_t;
    using SetId = std::uint32_t;

    /// What tied a vertex to its set. As long as the ties of all vertices hold, a set cannot have fallen apart.
    struct Tie {
        bool by_signal;        // with a vertex of another timeline; else with one of the same timeline that completes no later
        std::uint32_t number;  // handle or vertex
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.by_signal, self.number);
        }
    };
    struct Vertex {
        Timeline* timeline = nullptr;  // null: free
        std::uint32_t completion = 0;
        SetId set = 0;
        bool gone = false;
        bool tied_to = false;  // a vertex of another timeline may have a tie by a signal of this one
        InstanceSpan first{};  // least span of its instances
        boost::container::small_vector<Tie, 1> ties;
    };
    static constexpr std::uint8_t not_reported = 0xFF;
    struct Service {
        VertexId vertex;              // a completion that has the signal as evidence
        std::uint8_t stage;           // the earliest it serves
        std::uint8_t reported_stage;  // as last reported
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.vertex, self.stage, self.reported_stage);
        }
    };
    struct SetFinding {
        FindingId id;
        SignalHandle anchor;
        InstanceSpan opening;
        bool opened_late;
        Timestamp start;
        Timestamp end;
        std::vector<EntityId> principals;
        std::vector<StageEvidence> evidence;  // only of a set that is cut; otherwise it is that of the set. A signal may be in it for several stages
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.id, self.anchor, self.opening, self.opened_late, self.start, self.end, self.principals, self.evidence);
        }
    };
    /// Instances behind this are in findings that nothing can change any more.
    struct Floor {
        Timestamp start;  // of the earliest instance that still counts
        Timestamp end;    // those with just that start count when they end after this
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.start, self.end);
        }
    };
    struct Set {
        std::vector<VertexId> members;
        std::vector<SignalHandle> evidence;  // reported, each once
        std::vector<SignalHandle> fresh;     // to be reported, perhaps repeated
        std::vector<EntityId> principals;    // sorted
        InstanceSpan first{};
        Timestamp end{};
        std::vector<SetFinding> findings;
        std::optional<Floor> floor;
        std::optional<Timestamp> pruned_before;     // members that ended before it were forgotten
        Timestamp closed_until = Timestamp::min();  // of a cut set: what ends after it is not in the finding before the last
        InstanceSpan least_new = no_span;           // of the completions that came since the set was settled
        Timestamp first_new_end = Timestamp::max();
        std::vector<EntityId> new_principals;  // sorted
        std::vector<SetFinding> absorbed;      // findings that became part of the one of this set, or of the last of a cut one
        std::size_t last = 0;                  // of a cut set: its last finding that an instance without late signals opened; past the end: none
        std::unique_ptr<FindingTail> tail;     // of that finding, while it holds less than the set has in its time
        std::unique_ptr<FindingTail> clean;    // of an uncut set with late signals: its instances without them
        std::vector<VertexId> news;            // completions that came, for the tails; only once the set is cut or known to hold late signals
        std::vector<SignalHandle> completing;  // evidence that came, perhaps as such, at the end of instances
        bool alive = false;
        bool touched = false;
        bool broken = false;                     // may have fallen apart
        bool revised = false;                    // the findings must be worked out anew
        bool reopened = false;                   // the instance that opened the last finding may have been worked out again
        bool cut = false;                        // findings hold their evidence themselves
        bool knows_late = false;                 // the findings were worked out with a late signal in the set
        Timestamp last_late = Timestamp::min();  // of its late signals; the least there is: none
        bool ignores_late = false;               // too large once to tell late ones apart
        std::size_t bytes = 0;                   // as counted in `set_bytes_`
        bool has_late() const { return last_late != Timestamp::min() && !ignores_late; }
        bool keeps_news() const { return cut || knows_late; }
        /// All of a settled one but the tails.
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.members, self.evidence, self.fresh, self.principals, self.first, self.end, self.findings, self.floor, self.pruned_before,
                    self.closed_until, self.least_new, self.first_new_end, self.new_principals, self.absorbed, self.last, self.news, self.completing);
            archive(self.broken, self.revised, self.reopened, self.cut, self.knows_late, self.last_late, self.ignores_late);
        }
    };
    static constexpr InstanceSpan no_span{Timestamp::max(), Timestamp::max()};

    VertexId new_vertex();
    SetId new_set();
    void free_set(SetId set);
    void count_bytes(SetId set);
    void touch(SetId set);
    void note(VertexId vertex, const InstanceSpan& first);
    void connect(VertexId vertex, TimelineContext& context);
    void serve(SignalHandle signal, StageMask stages, VertexId vertex, TimelineContext& context);
    void tie(VertexId vertex, VertexId other, SignalHandle signal, const SignalWindow& window);
    bool join(VertexId vertex, VertexId other, const SignalWindow& window);
    bool absorb(Set& into, Set& from, const SignalWindow& window);
    void break_up(VertexId vertex);
    // set_ties.cpp
    void check_ties(const Timeline& timeline, std::size_t first_completion);
    void forget_evidence(const Set& set);

    // set_rebuild.cpp
    std::vector<SetId> rebuild(SetId id, TimelineContext& context);
    void recount(Set& set) const;

    // set_growth.cpp
    bool extend(Set& set, TimelineContext& context, std::vector<FindingDelta>& deltas);
    bool extend_last(Set& set, TimelineContext& context, std::vector<FindingDelta>& deltas);
    bool extend_tail(Set& set, TimelineContext& context, std::vector<FindingDelta>& deltas);
    bool extend_late(Set& set, TimelineContext& context, std::vector<FindingDelta>& deltas);
    bool takes_late_ones(Set& set, TimelineContext& context);
    bool begins_with_known(const Vertex& vertex, const StagePlan& plan) const;
    void tell(FindingTail& tail, const std::vector<VertexId>& news, TimelineContext& context) const;
    bool concerns_last_only(const Set& set, const StagePlan& plan) const;
    bool is_too_large_for_late(const Set& set) const;
    static bool renames(const Set& set, const SetFinding& finding, const SignalWindow& window);
    static void drop_tail(Set& set);
    static void report_absorbed(Set& set, const SetFinding& by, std::vector<FindingDelta>& deltas);
    static void clear_news(Set& set);
    std::vector<StageEvidence> take_fresh(Set& set, TimelineContext& context);

    // connected_sets_snapshot.cpp
    void load_vertex(Vertex& vertex, SnapshotReader& in, const FindingTail::TimelineOf& timelines) const;
    void load_set(Set& set, SnapshotReader& in, const FindingTail::TimelineOf& timelines, const TimelineContext& context);
    void check(const StagePlan& plan) const;

    // set_findings.cpp
    void find_again(Set& set, TimelineContext& context);
    void find_last_again(Set& set, TimelineContext& context);
    void report_all(Set& set);
    SetInstances instances_of(const Set& set, TimelineContext& context) const;
    InstanceRegion base_of(const Set& set) const;
    SignalHandle anchor_of(const Set& set, TimelineContext& context) const;
    SetFinding whole(const Set& set, TimelineContext& context) const;
    std::vector<StageEvidence> evidence_of(const Set& set, const SetFinding& finding) const;
    void add_cut(Set& set, std::vector<CutFinding> cut, TimelineContext& context);
    std::optional<FindingId> successor_of(const FindingRevision& former) const;

    std::string identity_;
    bool names_principals_;
    FindingTail::Followers followers_;  // before the sets, whose tails leave it when they go
    std::vector<Vertex> vertices_;
    std::vector<VertexId> free_vertices_;
    std::vector<VertexId> gone_vertices_;  // to be freed when settled
    std::vector<Set> sets_;
    std::vector<SetId> free_sets_;
    std::vector<SetId> dead_sets_;  // to be freed when settled
    std::vector<SetId> touched_;
    boost::unordered_flat_map<std::uint32_t, Service> services_;  // by signal
    std::size_t set_bytes_ = 0;                                   // beside the sets themselves, without their tails
};

}  // namespace catenary::engine
