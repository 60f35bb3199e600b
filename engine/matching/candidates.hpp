#pragma once

#include "engine/matching/distinct_values.hpp"
#include "engine/matching/instance_listing.hpp"
#include "engine/matching/stage_plan.hpp"
#include "engine/matching/vertex_groups.hpp"
#include "engine/matching/window.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace catenary::engine {

/// The signals that a pattern's stages want, by each entity they may link by, and how far chains of them have come. Tells of each signal that comes whether it
/// is part of an instance, as far as order, single gaps, span, counts and links say; what must be absent is not looked at.
///
/// For a sequence it keeps L, the latest start of a chain that ends in a signal as some stage, and for each (entity, stage) the front of what can be gone on
/// from: of two chains the one that ends later and starts later leaves nothing to the other. A signal in time order costs a look at the fronts of the entities
/// that it names; one out of order, or one at the same instant as another, works out again what it can reach, within `most_steps`.
class Candidates {
public:
    using Id = std::uint32_t;  ///< good until the next `expire`
    /// So many candidates are looked at for one signal; what lies beyond is not found, and counted (`capped`).
    static constexpr std::size_t most_steps = 65'536;
    /// And so many when a group is worked out anew.
    static constexpr std::size_t most_group_steps = 1'048'576;

    /// A signal that instances hold: the stages it completes in them, and all it is evidence of.
    struct Part {
        Id candidate;
        StageMask completes;
        StageMask serves;
    };

    Candidates(const StagePlan& plan, const SignalWindow& window, const DistinctValues& values) : plan_{plan}, window_{window}, values_{values} {}

    /// Connected sets that were told are numbered, so that what a signal brings can name them. Numbers hold until `compact_sets`.
    using SetNumber = std::uint32_t;
    static constexpr SetNumber no_set = 0xFFFF'FFFF;
    /// By entity: how many pairs of signals it links, each chosen next to the other in an instance.
    using LinkCounts = std::vector<std::pair<EntityId, std::uint32_t>>;

    /// What a signal brings.
    struct Found {
        std::vector<Part> parts;  ///< of the instances that hold it, in canonical order
        /// All these instances end with it, and what follows is told beside what was told before: enough to go on with the sets that they join.
        bool only_adds = false;
        Timestamp earliest = Timestamp::max();  ///< the earliest start of an instance through what was not told before
        std::vector<SetNumber> joins;           ///< the sets that have signals of these instances, each once; `no_set`: also something that was told of no set
        std::vector<EntityId> principals;       ///< `same`: the entities that link it; perhaps repeated
        LinkCounts links;                       ///< `chain`: pairs that were not counted before
    };
    /// All instances that share signals with each other.
    struct Set {
        std::vector<Part> parts;                                 ///< sorted by candidate
        InstanceSpan first{Timestamp::max(), Timestamp::max()};  ///< of the instance that is first in the order
        SignalHandle anchor{};                                   ///< of the instances with that span: the least signal that completes one
        Timestamp end = Timestamp::min();                        ///< the latest
        std::vector<EntityId> principals;                        ///< `same`
        LinkCounts links;                                        ///< `chain`
    };
    /// Adds to counts that are by entity.
    static void count(LinkCounts& links, EntityId entity, std::uint32_t pairs);

    /// Takes a signal with its links; returns the signals of all instances that hold it and end at `end_min` or later, in canonical order, or none. Signals
    /// that were `held` before, and whose part in instances is known, may be left out: `joins` tells of their sets.
    Found add(ListedEntry entry, Timestamp end_min);
    /// The connected sets of the instances of a sequence that consist of signals of `group`, start at `start_min` or later and end at `end_min` or later. Exact
    /// where no signal is part of one instance twice (`is_plain`). Empty: that were more steps than may be taken at once.
    std::optional<std::vector<Set>> sets(std::span<const ListedEntry> group, Timestamp start_min, Timestamp end_min);
    /// Whether chains tell the instances of these signals exactly.
    bool is_plain(std::span<const ListedEntry> group) const;

    /// A set of its own.
    SetNumber new_set() { return sets_.add(); }
    /// The number that stands for all that were united with it.
    SetNumber set(SetNumber number) { return sets_.find(number); }
    void unite(SetNumber one, SetNumber other) { sets_.unite(one, other); }
    void put_into(Id id, SetNumber number);
    void put_into(const ListedEntry& entry, SetNumber number);
    /// Numbers sets anew, from nothing: those of candidates, and with `renumber(number)` those that `each_number` visits.
    template <class EachNumber>
    void compact_sets(EachNumber each_number) {
        VertexGroups former = std::exchange(sets_, {});
        boost::unordered_flat_map<SetNumber, SetNumber> numbers;
        const auto renumber = [&](SetNumber number) {
            if (number == no_set) return no_set;
            const auto [place, is_new] = numbers.try_emplace(former.find(number));
            if (is_new) place->second = sets_.add();
            return place->second;
        };
        for (Candidate& one : pool_) one.set = renumber(one.set);
        for (auto& [key, reachable] : reachable_) {
            for (ReachedPlace& place : reachable.all) place.set = renumber(place.set);
        }
        each_number([&](SetNumber& number) { number = renumber(number); });
    }

    const ListedEntry& entry(Id id) const { return pool_[id].entry; }
    bool is_held(Id id) const { return pool_[id].held; }
    /// It stays, however old, until it is let go of.
    void hold(Id id) { pool_[id].held = true; }
    /// Whether the signal is here, and held.
    bool holds(const ListedEntry& entry) const;
    /// It is part of no further instance; nor is what hangs together with it, unless the instance starts at `floor` or later, which is after the signal.
    void close(const ListedEntry& entry, Timestamp floor);
    void let_go(const ListedEntry& entry);

    /// Forgets what is let go of, and calls `give_up(entry)` for what is not held and lies before `reach`, and forgets it too.
    template <class GiveUp>
    void expire(Timestamp reach, GiveUp give_up) {
        std::vector<Id> over;
        for (Id id = 0; id < pool_.size(); ++id) {
            Candidate& one = pool_[id];
            if (one.state == State::free) continue;
            if (one.state != State::let_go && (one.held || one.entry.time >= reach)) continue;
            if (one.state != State::let_go) give_up(one.entry);
            over.push_back(id);
        }
        forget(over, reach);
    }

    /// Calls `visit(entry)` for each, in no order that means anything.
    template <class Visit>
    void each(Visit visit) const {
        for (const Candidate& one : pool_) {
            if (one.state != State::free) visit(one.entry);
        }
    }
    /// How many are held.
    std::size_t held() const {
        return static_cast<std::size_t>(std::count_if(pool_.begin(), pool_.end(), [](const Candidate& one) { return one.held; }));
    }
    /// Entities that signals may link by.
    std::size_t entities() const { return lines_.size(); }
    /// Signals of the entity in [from, to], in order.
    std::vector<const ListedEntry*> of(EntityId entity, Timestamp from, Timestamp to) const;
    /// Which way chains are followed.
    enum class Way { onward, back };
    /// Signals that chains from those of the entity in [from, to] (onward: of those that name it first) lead to, no further than `limit`: a signal leads on to
    /// those that share an entity with it, are not before it and offer a later stage; back the other way round; without an order to all that share one. At most
    /// `most`, those reached by fewest steps, in canonical order.
    std::vector<const ListedEntry*> reached_from(EntityId entity, Timestamp from, Timestamp to, Way way, Timestamp limit, std::size_t most) const;
    /// Calls `visit(entity, stages, newest)` for each entity: the stages that its signals offer, the time of the newest. Ends when it returns false.
    template <class Visit>
    void each_entity(Visit visit) const {
        for (const auto& [entity, line] : lines_) {
            StageMask offered = 0;
            for (const Place& place : line) offered = static_cast<StageMask>(offered | place.stages);
            if (!visit(EntityId{entity}, offered, line.back().time)) return;
        }
    }

    std::uint64_t work() const { return work_; }
    std::uint64_t capped() const { return capped_; }
    std::size_t bytes() const;
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);

private:
    static constexpr Timestamp unreached = Timestamp::min();
    /// A signal in one of its stages, linked on by one of its entities.
    struct Reached {
        Timestamp start = unreached;            // L
        Timestamp explored = Timestamp::max();  // all signals of chains to it that start then or later are known to be part of instances
        template <class Archive, class Self>
        static void fields(Archive& archive, Self& self) {
            archive(self.start, self.explored);
        }
    };
    static constexpr std::size_t inline_reached = 2;
    enum class State : std::uint8_t { free, open, closed, let_go };
    struct Candidate {
        ListedEntry entry;
        boost::container::small_vector<Reached, inline_reached> reached;  // by link, then by served stage
        bool held = false;
        State state = State::free;
        SetNumber set = no_set;
    };
    /// A candidate on the line of one entity.
    struct Place {
        Timestamp time;
        Id id;
        StageMask stages;
        std::uint8_t link;  // the entity among its links
    };
    using Line = std::vector<Place>;  // in canonical order
    /// A candidate that chains reach as one stage, where they may go on by one entity; what is said of it is a copy, so that looking at many reads one piece of
    /// memory.
    struct ReachedPlace {
        Timestamp time;
        Timestamp start;
        Timestamp explored;
        Id id;
        SetNumber set;
        StageMask stages;
        std::uint8_t link;
    };
    struct FrontEntry {
        Timestamp end;
        Timestamp start;
    };
    /// What of one stage can be gone on from by one entity.
    struct Reachable {
        boost::container::small_vector<FrontEntry, 1> front;  // by end; each starts earlier than the one before
        std::vector<ReachedPlace> all;                        // by time
    };
    /// A place in a chain.
    struct Node {
        Id id;
        StageIndex stage;
        std::uint8_t link;
        friend auto operator<=>(const Node&, const Node&) = default;
    };
    using Parts = boost::unordered_flat_map<Id, Part>;
    /// What is met on the way back from ends of instances.
    struct Exploration {
        bool is_newest;  // the signal that completes them came in order
        boost::unordered_flat_set<std::uint64_t> seen{};
        Parts parts{};
        std::vector<ListedInstance::Pair> pairs{};
        std::vector<std::pair<Timestamp, Node>> begins{};
        std::vector<std::pair<Id, Id>> joined{};  // are part of one instance
        bool again = false;                       // something told before is told again
        Timestamp floor = Timestamp::min();       // of closed signals that were met
        std::vector<std::pair<Node, Timestamp>> explored_before{};
        std::vector<SetNumber> joins{};
        LinkCounts links{};
    };

    static std::uint64_t key(EntityId entity, StageIndex stage) { return (std::uint64_t{entity.value()} << 4U) | stage; }
    bool is_chain() const { return plan_.pattern->link == LinkMode::chain; }
    /// Whether the stage's occurrences expose all that the signal names, and any of it may link to the stage before.
    bool exposes_all(StageIndex stage) const { return is_chain() && !has_stage(plan_.repeated, stage); }
    bool serves(const Candidate& one, StageIndex stage, std::size_t link) const {
        return has_stage(one.entry.stages, stage) && (!has_stage(plan_.repeated, stage) || has_stage(one.entry.links[link].counted, stage));
    }
    Reached& reached(Candidate& one, StageIndex stage, std::size_t link) const;
    const Reached& reached(const Candidate& one, StageIndex stage, std::size_t link) const;
    EntityId entity(Id id, std::size_t link) const { return pool_[id].entry.links[link].entity; }
    Id place(ListedEntry entry, bool& is_newest);
    std::optional<Id> find(const ListedEntry& entry) const;
    /// Calls `visit(node, L)` for each stage and link of a candidate.
    template <class Visit>
    void each_node(Id id, Visit visit) const {
        const Candidate& one = pool_[id];
        for (std::uint8_t link = 0; link < one.entry.links.size(); ++link) {
            each_stage(one.entry.stages, [&](StageIndex stage) { visit(Node{id, stage, link}, reached(one, stage, link).start); });
        }
    }
    /// Calls `visit(place)` for the copies of a place in a chain.
    template <class Visit>
    void each_copy(const Node& node, Visit visit);
    void set_explored(const Node& node, Timestamp bound);
    void account(const Candidate& one, bool comes);
    bool may_step();

    // candidates.cpp: how far chains come
    std::optional<Timestamp> occurrence(Id id, StageIndex stage, std::size_t link);
    Timestamp begin_of(const Node& node) const;
    Timestamp before(EntityId entity, StageIndex stage, Timestamp begin, Id self, Timestamp least, bool is_newest);
    Timestamp latest_start(Id id, StageIndex stage, std::size_t link, bool is_newest);
    bool settle(Id id, StageIndex stage, bool is_newest);
    void reach(Id id, StageIndex stage, std::size_t link);
    void relax(Id id);
    template <class Visit>
    void each_before(EntityId entity, StageIndex stage, Timestamp begin, Timestamp from, Id self, Visit visit);
    template <class Places, class Visit>
    void each_within(const Places& line, Timestamp from, Timestamp to, Id self, Visit visit);
    template <class Visit>
    void each_after(EntityId entity, Timestamp from, Timestamp to, Id self, Visit visit);
    template <class Visit>
    void each_reached(EntityId entity, StageIndex stage, Timestamp from, Timestamp to, Id self, Visit visit);

    // candidates_parts.cpp: which signals are part of instances, and where chains lead
    struct Step {
        Timestamp start;  // of the chain
        Node node;
    };
    static std::uint64_t key(const Node& node) { return (std::uint64_t{node.id} << 16U) | (std::uint64_t{node.stage} << 8U) | node.link; }
    void follow(const Step& begin, boost::unordered_flat_set<std::uint64_t>& seen, std::vector<std::pair<Timestamp, Node>>& ends);
    std::vector<std::pair<Timestamp, Node>> ends_of(Id id);
    void explore(const Node& end, Timestamp bound, Exploration& exploration);
    Exploration explore_all(const std::vector<std::pair<Timestamp, Node>>& ends, bool is_newest, Timestamp start_min);
    std::vector<Part> parts_in_any_order(Id id);
    StageMask offered_recently(EntityId entity, Timestamp since) const;
    void gather_of(Id id, std::size_t link, Parts& parts);
    void gather_linked(Id id, Parts& parts);
    std::vector<Part> ordered(const Parts& parts) const;
    void note_newest(const Candidate& one);
    void forget(const std::vector<Id>& over, Timestamp reach);

    const StagePlan& plan_;
    const SignalWindow& window_;
    const DistinctValues& values_;
    std::vector<Candidate> pool_;
    std::vector<Id> free_;
    boost::unordered_flat_map<std::uint32_t, Line> lines_;           // by entity
    boost::unordered_flat_map<std::uint64_t, Reachable> reachable_;  // by entity and stage; without an order its front is the newest signal
    boost::unordered_flat_map<std::uint64_t, Timestamp> begins_;     // of reached occurrences of repeated stages, by node
    boost::unordered_flat_map<Id, Timestamp> floors_;                // of closed ones
    VertexGroups sets_;
    std::size_t links_ = 0;           // of all candidates
    std::size_t reached_beyond_ = 0;  // kept outside of candidates
    std::size_t reachable_places_ = 0;
    std::size_t steps_left_ = 0;
    std::uint64_t work_ = 0;
    std::uint64_t capped_ = 0;
};

template <class Visit>
void Candidates::each_copy(const Node& node, Visit visit) {
    const ListedEntry& entry = pool_[node.id].entry;
    for (std::size_t link = 0; link < entry.links.size(); ++link) {
        if (!exposes_all(node.stage) && link != node.link) continue;
        const auto found = reachable_.find(key(entry.links[link].entity, node.stage));
        if (found == reachable_.end()) continue;
        auto& all = found->second.all;
        auto one = std::partition_point(all.begin(), all.end(), [&](const ReachedPlace& place) { return place.time < entry.time; });
        for (; one != all.end() && one->time == entry.time; ++one) {
            if (one->id == node.id) visit(*one);
        }
    }
}

/// Visits what a stage that begins at `begin` may follow by the entity, no earlier than `from`: `visit(stage, place)`, of each stage the latest first, until it
/// returns false.
template <class Visit>
void Candidates::each_before(EntityId entity, StageIndex stage, Timestamp begin, Timestamp from, Id self, Visit visit) {
    if (const auto& gap = plan_.pattern->stages[stage].within) from = std::max(from, begin - *gap);
    each_stage(plan_.previous[stage], [&](StageIndex previous) {
        const auto found = reachable_.find(key(entity, previous));
        if (found == reachable_.end()) return;
        const auto& line = found->second.all;
        auto one = std::partition_point(line.begin(), line.end(), [&](const auto& place) { return plan_.strict ? place.time < begin : place.time <= begin; });
        while (one != line.begin()) {
            --one;
            if (one->time < from || !may_step()) return;
            if (one->id != self && !visit(previous, *one)) return;
        }
    });
}

template <class Places, class Visit>
void Candidates::each_within(const Places& line, Timestamp from, Timestamp to, Id self, Visit visit) {
    auto one = std::partition_point(line.begin(), line.end(), [&](const auto& place) { return place.time < from; });
    for (; one != line.end() && one->time <= to; ++one) {
        if (!may_step()) return;
        if (one->id != self) visit(*one);
    }
}

/// Visits all candidates of an entity in [from, to].
template <class Visit>
void Candidates::each_after(EntityId entity, Timestamp from, Timestamp to, Id self, Visit visit) {
    if (const auto found = lines_.find(entity.value()); found != lines_.end()) each_within(found->second, from, to, self, visit);
}

/// Visits those of them that chains reach as that stage.
template <class Visit>
void Candidates::each_reached(EntityId entity, StageIndex stage, Timestamp from, Timestamp to, Id self, Visit visit) {
    if (const auto found = reachable_.find(key(entity, stage)); found != reachable_.end()) each_within(found->second.all, from, to, self, visit);
}

}  // namespace catenary::engine
