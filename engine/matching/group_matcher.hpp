#pragma once

#include "engine/matching/absence_signals.hpp"
#include "engine/matching/candidates.hpp"
#include "engine/matching/chain_walk.hpp"
#include "engine/matching/distinct_values.hpp"
#include "engine/matching/finding_changes.hpp"
#include "engine/matching/finding_id.hpp"
#include "engine/matching/instance_listing.hpp"
#include "engine/matching/listed_findings.hpp"
#include "engine/matching/matcher_state.hpp"
#include "engine/matching/near_miss_watch.hpp"
#include "engine/matching/partial_search.hpp"
#include "engine/matching/stage_plan.hpp"
#include "engine/matching/window.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace catenary::engine {

/// Patterns that timelines do not fit: `order: any`, `link: chain`, limits on single gaps, absence. Which signals are part of instances, leaving absence aside,
/// is known of each as it comes (`Candidates`). Those of them that a row of entities connects, each step no further apart in time than `within`, make a group,
/// and a group that got a further instance is worked out whole, instance by instance. What that may cost is bounded: a group that grows beyond `most_signals`
/// closes its older half, whose findings stay as they are.
///
/// Signals that must be absent belong to no group. One that lies where it may concern a group's instances has that group worked out again, and so has the
/// watermark when it comes to where absence is decided.
class GroupMatcher final : public MatcherState {
public:
    /// A group holds at most so many signals,
    static constexpr std::size_t most_signals = 4'096;
    /// and so many where its instances are listed one by one.
    static constexpr std::size_t most_listed = 512;

    GroupMatcher(std::shared_ptr<const Pattern> pattern, std::string identity, Timestamp effective_from, const SignalWindow& window,
                 const std::vector<Symbol>& link_kinds);

    void add(SignalHandle signal, StageMask stages, std::span<const EntityId> links, std::span<const std::vector<std::string>> distinct_values) override;
    void saw_unwanted(SignalHandle signal, StageMask conditions, std::span<const EntityId> mentions) override;
    void move_watermark(Timestamp watermark) override;
    std::optional<Timestamp> decides_at() const override;
    std::vector<SignalHandle> expire(Timestamp horizon) override;
    std::vector<FindingDelta> take_deltas() override;
    std::vector<UnfinishedChain> judge(Timestamp watermark) override;
    Timestamp next_judgement() const override { return watch_.next_due(); }
    void search(PartialSearch& search) const override;
    std::size_t attempts() const override { return candidates_.entities(); }

    const Pattern& pattern() const override { return *plan_.pattern; }
    std::size_t bytes() const override;
    std::uint64_t work() const override { return work_ + candidates_.work(); }
    std::uint64_t capped() const override { return capped_ + candidates_.capped(); }
    void save(SnapshotWriter& out) const override;
    void load(SnapshotReader& in) override;

private:
    using GroupId = std::uint32_t;
    using LinkCounts = Candidates::LinkCounts;
    struct Group {
        std::vector<ListedEntry> entries;       // in canonical order
        std::vector<FindingRevision> findings;  // that may still change
        Timestamp floor = Timestamp::min();     // instances that start before it are in findings that stay
        bool alive = false;
        bool changed = false;
        bool by_chains = true;                      // its findings are what chains tell of it (Candidates::sets), and may be added to
        std::vector<LinkCounts> links{};            // then, of each finding: under `chain` what links it,
        std::vector<Candidates::SetNumber> sets{};  // and its set; not saved
        std::optional<Timestamp> decides_at;        // the watermark at which absence is judged next
        WatchedConditions watched;
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.entries, self.findings, self.floor, self.alive, self.by_chains, self.links, self.decides_at, self.watched);
        }
    };
    /// One entity's signals in one group.
    struct Stretch {
        Timestamp first;
        Timestamp last;
        GroupId group;
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.first, self.last, self.group);
        }
    };

    ListedEntry entry_of(SignalHandle signal, StageMask stages, std::span<const EntityId> links) const;
    GroupId group_for(const ListedEntry& entry);
    std::pair<std::vector<Stretch>::iterator, std::vector<Stretch>::iterator> near(std::vector<Stretch>& stretches, Timestamp time) const;
    void merge(GroupId into, GroupId from);
    bool take(const Candidates::Part& part);
    bool has_chains() const { return plan_.pattern->order == Order::sequence && plan_.pattern->absent.empty(); }
    bool may_grow(const Group& group, const Candidates::Found& found) const;
    bool grow(Group& group, const Candidates::Found& found);
    void note_growth(const FindingRevision& finding, const std::vector<StageEvidence>& added, FindingDelta::Kind kind);
    void number_sets(Group& group);
    void note_end(const FindingRevision& finding, FindingId successor);
    void take_back_growth(Group& group);
    void tell_growth(std::vector<FindingDelta>& changes);
    std::optional<std::vector<FindingRevision>> told_by_chains(Group& group);
    std::vector<FindingRevision> listed(Group& group);
    std::vector<EntityId> principals_of(const LinkCounts& links) const;
    std::optional<GroupId> group_of(const ListedEntry& entry) const;
    void revise(GroupId id);
    void decide_at(GroupId id, std::optional<Timestamp> watermark);
    std::vector<FindingRevision> named(const std::vector<std::vector<ListedFinding>>& sets, std::vector<FindingName>& taken) const;
    void forget_unwanted(Timestamp reach);
    void close_older_half(Group& group, std::vector<FindingDelta>& changes);
    void work_out(Group& group, std::vector<FindingDelta>& changes);
    void give_up(const ListedEntry& entry);
    void bring_up_to_date();
    // group_matcher_partial.cpp
    std::vector<ListedEntry> unserved(const std::vector<const ListedEntry*>& near, std::optional<EntityId> entity) const;
    std::optional<Timestamp> look(EntityId entity, Timestamp from, Timestamp to, Timestamp watermark, std::vector<UnfinishedChain>& found);
    void work_out(EntityId entity, PartialSearch& search) const;

    StagePlan plan_;
    std::string identity_;
    const SignalWindow& window_;
    Timestamp end_min_;
    std::vector<std::pair<Symbol, StageMask>> counted_by_;  // kinds that repeated stages count by, with those stages
    DistinctValues values_;
    Candidates candidates_{plan_, window_, values_};
    AbsenceSignals absences_;
    Timestamp watermark_ = Timestamp::min();
    std::vector<Group> groups_;
    std::vector<GroupId> free_groups_;
    std::vector<GroupId> changed_;
    boost::unordered_flat_map<std::uint32_t, std::vector<Stretch>> stretches_;  // by entity, by time
    std::set<std::pair<Timestamp, GroupId>> deciding_;                          // by Group::decides_at
    std::vector<SignalHandle> aside_;                                           // in no group
    std::vector<SignalHandle> given_up_;                                        // to be told at the next expiry
    std::vector<FindingDelta> deltas_;
    std::map<FindingId, FindingDelta> grown_;  // since deltas were taken
    std::vector<FindingDelta> ended_;          // since then: went into others
    std::uint64_t work_ = 0;
    std::uint64_t capped_ = 0;
    NearMissWatch watch_{plan_};
};

}  // namespace catenary::engine
