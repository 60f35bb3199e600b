#pragma once

#include "engine/matching/distinct_values.hpp"
#include "engine/matching/instance_listing.hpp"
#include "engine/matching/stage_plan.hpp"
#include "engine/matching/unfinished_chain.hpp"
#include "engine/matching/window.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace catenary::engine {

/// How many signals (or values) a repeated stage had within its `within` at most, and whose.
struct MostCounted {
    std::int64_t count = 0;
    EntityId entity;
};

/// Follows the chains of one pattern through signals in time order, as far as each gets. Where matching asks whether there is an instance, this tells how
/// much of one there is. Under `order: any` a chain is what the last `within` offers.
///
/// Of several ways to reach a stage by the same signal the one that starts latest is followed, since it leaves most time; where single gaps are limited, among
/// the 64 newest.
class ChainWalk {
public:
    ChainWalk(const StagePlan& plan, const SignalWindow& window, const DistinctValues& values) : plan_{plan}, window_{window}, values_{values} {}

    /// All signals, by time. Once; they outlive the walk.
    void take(const std::vector<ListedEntry>& entries);
    void take(std::vector<ListedEntry>&&) = delete;

    bool is_complete() const { return complete_; }
    /// For each linking entity the chain that lacks fewest stages (then starts latest) among those that may still be completed at `now`.
    std::vector<UnfinishedChain> open_at(Timestamp now) const;
    /// Chains that lack exactly one mandatory stage, whichever, and started in [from, to]: by start, then the longer ones first. None
    /// in whose time another one lacked nothing.
    std::vector<UnfinishedChain> lacking_one(Timestamp from, Timestamp to) const;
    /// The chains that get furthest in order, whenever; all of one length. Empty when none begins.
    std::vector<UnfinishedChain> furthest() const;
    /// Of a repeated stage.
    MostCounted most_counted(StageIndex stage) const { return most_counted_[stage]; }

private:
    static constexpr std::uint32_t nothing = 0xFFFF'FFFF;
    static constexpr std::uint8_t no_stage = 0xFF;
    struct Node {
        Timestamp start;  // of the chain
        Timestamp begin;  // of the occurrence
        Timestamp end;
        std::uint32_t entry;   // that completes it
        std::uint32_t before;  // the node it goes on from
        EntityId entity;
        StageIndex stage;
        std::uint8_t missing;  // a mandatory stage that was left out
    };
    struct Occurrence {
        StageIndex stage;
        Timestamp begin;
        Timestamp end;
        std::uint32_t entry;
    };
    /// The run of a repeated stage's signals on one entity.
    struct Counter {
        struct Counted {
            Timestamp time;
            SignalHandle signal;
        };
        std::vector<Counted> signals;
        std::size_t span_begin = 0;   // of those within the stage's `within`
        std::size_t tight_begin = 0;  // of the shortest run that still makes `at_least`
        std::int64_t span = 0;
        std::int64_t tight = 0;
        std::map<DistinctValues::Value, std::uint32_t> span_values;
        std::map<DistinctValues::Value, std::uint32_t> tight_values;
    };

    void take_instant(std::size_t begin, std::size_t end);
    void count(StageIndex stage, const ListedEntry& entry);
    std::int64_t include(StageIndex stage, SignalHandle signal, std::map<DistinctValues::Value, std::uint32_t>& values) const;
    std::int64_t worth(StageIndex stage, SignalHandle signal, const std::map<DistinctValues::Value, std::uint32_t>& values) const;
    void exclude(StageIndex stage, SignalHandle signal, std::map<DistinctValues::Value, std::uint32_t>& values) const;
    void follow(const Occurrence& occurrence, std::span<const EntityId> exposed);
    std::uint32_t best_before(const Occurrence& occurrence, EntityId entity, StageIndex stage, bool with_gap, bool left_out) const;
    void add(Node node, std::span<const EntityId> exposed);
    bool uses(std::uint32_t node, std::uint32_t entry, Timestamp instant) const;
    StageMask mandatory_after(StageIndex stage) const;
    UnfinishedChain chain_of(const Node& node) const;

    void take_any_order(std::size_t begin, std::size_t end);
    void offer(EntityId entity);

    const StagePlan& plan_;
    const SignalWindow& window_;
    const DistinctValues& values_;
    std::span<const ListedEntry> entries_;
    std::vector<Node> nodes_;
    boost::unordered_flat_map<std::uint64_t, std::vector<std::uint32_t>> ends_;  // nodes by entity, stage and whether one was left out
    boost::unordered_flat_map<std::uint64_t, Counter> counters_;                 // by entity and stage
    std::array<MostCounted, max_stages> most_counted_{};
    std::map<EntityId, std::array<std::vector<Occurrence>, max_stages>> offered_;  // `order: any`
    std::vector<UnfinishedChain> gathered_;                                        // `order: any`
    bool complete_ = false;
};

}  // namespace catenary::engine
