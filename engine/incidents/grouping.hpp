#pragma once

#include "engine/incidents/daily_openers.hpp"
#include "engine/incidents/finding_order.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace catenary::engine {

/// Findings that an analyst put together: by a merge, or by a split, which makes two of them. Never used again; a later decision has a greater one.
using HandGroup = StrongId<struct HandGroupTag, std::int64_t>;

/// The partition of findings into groups, a function of the findings alone: two findings are connected when they share evidence, and in (start, id)
/// order each joins the earliest-starting group that holds an earlier finding connected to it and that, with it, spans at most `max_span`
/// (inclusive); otherwise it opens a group.
///
/// Analysts override this: findings placed in one hand group are always together, with the first of them and whatever they span; findings of two hand
/// groups never are. The first finding of a hand group is decided as any other, but joins no group that holds an earlier finding of another one. What
/// was placed by hand does not count when it is asked whether a group has room.
///
/// Of the groups that findings of one pattern open on one event day, the first `DailyOpeners::limit` stand alone. What would open a further one joins the
/// aggregate of that pattern and day, whatever that spans. Evidence leads nobody into an aggregate: what shares evidence with one of its findings is decided as
/// if it did not. What was placed by hand is neither counted nor in any aggregate.
///
/// Kept up to date by deciding again only the findings whose decision can have changed, in order; a decision that comes out the same ends there.
/// A new last finding costs its connections. One that starts before the group it extends costs no more as long as nothing of that group is
/// connected to another group.
class Grouping {
public:
    explicit Grouping(Duration max_span = std::chrono::days{30}) : max_span_{max_span} {}

    /// Adds a finding of a pattern, or changes its place in the order or its end.
    void put(FindingIndex finding, const std::string& pattern, const FindingOrder& order, Timestamp end);
    /// Takes a finding out, with its connections.
    void remove(FindingIndex finding);
    /// The same of a finding whose incident takes part no longer but stays: where it opened a group, that still counts, until `release` or until its day is forgotten.
    void retire(FindingIndex finding);
    void release(const std::string& pattern, const FindingOrder& order);
    /// How many groups of one pattern and day stand alone; at least one.
    void change_daily_limit(std::size_t limit);
    std::size_t daily_limit() const { return openers_.limit(); }
    /// Drops what is kept of the groups of days that were over before `cutoff`.
    void forget_days(Timestamp cutoff) { openers_.forget(cutoff); }
    /// Puts a finding, which must have been put, into a hand group, or leaves it to the rule again.
    void place(FindingIndex finding, std::optional<HandGroup> hand);
    /// One more / one less signal that both have as evidence. Both must have been put.
    void connect(FindingIndex left, FindingIndex right);
    void disconnect(FindingIndex left, FindingIndex right);

    struct Move {
        FindingIndex finding;
        std::optional<GroupIndex> from;  ///< empty: it is new
        std::optional<GroupIndex> to;    ///< empty: it was taken out
    };
    /// Decides what is open; net moves since the last call, by (start, id) of the findings, those taken out first.
    /// Groups that these moves emptied keep their index until the next call of any other function.
    std::vector<Move> settle();

    bool contains(FindingIndex finding) const { return finding.value() < nodes_.size() && nodes_[finding.value()].present; }
    /// Whether it was put as a finding of that pattern in that place.
    bool is_put_as(FindingIndex finding, const std::string& pattern, const FindingOrder& order) const {
        return nodes_[finding.value()].order == order && nodes_[finding.value()].pattern == pattern;
    }
    /// Its group as of the last `settle`.
    GroupIndex group_of(FindingIndex finding) const { return *nodes_[finding.value()].group; }
    const std::map<FindingOrder, FindingIndex>& members(GroupIndex group) const { return groups_[group.value()].members; }
    bool is_aggregate(GroupIndex group) const;
    /// The hand group that its members were placed in, if any was; as of the last `settle`.
    std::optional<HandGroup> hand_of(GroupIndex group) const;
    /// Other groups that hold findings connected to this one, each once, in no order.
    std::vector<GroupIndex> groups_near(FindingIndex finding) const;

    /// Of what is kept beside the groups, roughly.
    std::size_t bytes() const { return openers_.bytes(); }
    /// Right after `settle` only. Members, hand groups and refusals of the groups are left out: the findings say so again.
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);

private:
    struct Node {
        bool present = false;
        bool opens = false;       // counted among the openers of its day
        bool aggregated = false;  // in the aggregate of its day
        std::string pattern;
        FindingOrder order;
        Timestamp end;
        std::optional<GroupIndex> group;
        std::optional<HandGroup> hand;
        boost::unordered_flat_map<FindingIndex, std::uint32_t, std::hash<FindingIndex>> near;  // shared signals
        std::vector<GroupIndex> refused_by;                                                    // earlier groups than its own that it would have overstretched
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.opens, self.aggregated, self.pattern, self.order, self.end, self.group, self.hand, self.near, self.refused_by);
        }
        DailyOpeners::Key day() const { return {pattern, order.start}; }
    };
    struct Group {
        std::map<FindingOrder, FindingIndex> members;
        std::multiset<Timestamp> ends;             // of members that were neither placed by hand nor are an aggregate's
        std::map<FindingOrder, HandGroup> placed;  // members placed by hand; of one hand group, except while groups are being decided
        std::map<HandGroup, std::size_t> hands;    // of `placed`, with how many
        std::set<std::pair<FindingOrder, FindingIndex>> refused;
        std::optional<DailyOpeners::Key> aggregate_of;
        bool beside_another = false;  // some member was seen connected to a finding of another group; never unset
        Timestamp start() const { return members.begin()->first.start; }
    };

    Node& node(FindingIndex finding) { return nodes_[finding.value()]; }
    Group& group(GroupIndex index) { return groups_[index.value()]; }
    void reconsider(FindingIndex finding);
    void reconsider_members(GroupIndex index);
    void reconsider_refused(GroupIndex index);
    void reconsider_hand(HandGroup hand);
    void note_origin(FindingIndex finding);
    void enter(FindingIndex finding, GroupIndex index);
    void leave(FindingIndex finding);
    void started_earlier(GroupIndex index, FindingIndex former_first);
    bool overstretched(GroupIndex index);
    bool fits(const Group& group, const Node& node) const;
    void count_in(GroupIndex index, const Node& member);
    void count_out(GroupIndex index, const Node& member);
    void change_order(FindingIndex finding, const FindingOrder& order);
    void pull_hand(FindingIndex finding, GroupIndex target);
    std::optional<GroupIndex> group_by_hand(FindingIndex finding) const;
    std::optional<GroupIndex> group_to_lead(FindingIndex finding);
    std::optional<GroupIndex> group_to_join(FindingIndex finding);
    void decide(FindingIndex finding);
    void count_opener(FindingIndex finding, bool opens);
    void take_out(FindingIndex finding);
    void leave_hand(FindingIndex finding);
    void reconsider_other_hands(FindingIndex finding);
    bool follows(FindingIndex later, GroupIndex target) const;
    void load_aggregated(FindingIndex finding);
    void refuse(FindingIndex finding, GroupIndex index);
    void forget_refusals(FindingIndex finding);
    void free_emptied();
    GroupIndex new_group();
    bool started_first(GroupIndex left, GroupIndex right) const;

    Duration max_span_;
    DailyOpeners openers_;
    std::vector<Node> nodes_;    // by FindingIndex
    std::vector<Group> groups_;  // by GroupIndex
    std::vector<std::uint32_t> free_groups_;
    std::vector<GroupIndex> emptied_;
    std::map<HandGroup, std::set<std::pair<FindingOrder, FindingIndex>>> hands_;
    std::set<std::pair<FindingOrder, FindingIndex>> open_;       // to be decided
    std::map<FindingIndex, std::optional<GroupIndex>> origins_;  // group at the last settle of what moved since
};

}  // namespace catenary::engine
