#pragma once

#include "engine/matching/distinct_values.hpp"
#include "engine/matching/finding_cut.hpp"
#include "engine/matching/stage_plan.hpp"
#include "engine/matching/window.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace catenary::engine {

/// A signal as the listing of instances sees it.
struct ListedEntry {
    struct Link {
        EntityId entity;
        StageMask counted;  ///< repeated stages that count by the entity's kind
    };
    Timestamp time;
    SignalHandle signal;
    StageMask stages;
    bool late;
    std::vector<Link> links;  ///< by entity, each once
    void save(SnapshotWriter& out) const;
    void load(SnapshotReader& in);
};

/// One instance (semantics.md 4.2). Choices with the same span and the same signals are one.
struct ListedInstance {
    /// Two chosen stages after each other, by their completing signals, and an entity that both expose.
    struct Pair {
        EntityId entity;
        SignalHandle before;
        SignalHandle after;
        friend auto operator<=>(const Pair&, const Pair&) = default;
    };
    InstanceSpan span;
    bool late = false;
    std::vector<FoundEvidence> evidence;   ///< sorted by handle, each signal once
    std::vector<SignalHandle> completing;  ///< of a sequence what completes its last stage, else the latest that completes one; perhaps repeated
    std::vector<EntityId> principals;      ///< `same`: the entities that all chosen stages expose; perhaps repeated
    std::vector<Pair> pairs;               ///< `chain`: what links it; perhaps repeated
};

/// Spells instances out, as many as the bounds allow. For the constructs for which no shorter way is known here: `order: any`, `link: chain`, limits on
/// single gaps. Exponential in the number of stages at worst, so bounded.
class InstanceListing {
public:
    static constexpr std::size_t most_instances = 4096;
    static constexpr std::size_t most_steps = 65'536;

    /// `entries`: in canonical order. Instances count that start at or after `start_min` and end at or after `end_min`.
    InstanceListing(std::span<const ListedEntry> entries, const StagePlan& plan, const SignalWindow& window, const DistinctValues& values, Timestamp start_min,
                    Timestamp end_min);

    /// By span, then by signals.
    std::vector<ListedInstance> take();
    bool is_complete() const { return complete_; }
    std::size_t steps() const { return steps_; }

private:
    struct Occurrence {
        Timestamp start;
        Timestamp end;
        std::uint32_t completing;  // an entry
        std::uint32_t first;       // evidence: entries first..last of the stage that mention the entity, if it is counted by one
        std::uint32_t last;
        std::vector<EntityId> exposed;
        bool repeated;
    };
    using Key = std::tuple<InstanceSpan, std::vector<SignalHandle>>;

    void collect(StageIndex stage);
    void collect_repeated(StageIndex stage);
    void choose(StageIndex stage);
    void try_with(StageIndex stage, const Occurrence& occurrence);
    bool follows(StageIndex stage, const Occurrence& occurrence) const;
    const Occurrence* before(StageIndex stage) const;
    void emit();
    bool mentions(const ListedEntry& entry, EntityId entity) const;

    std::span<const ListedEntry> entries_;
    const StagePlan& plan_;
    const SignalWindow& window_;
    const DistinctValues& values_;
    Timestamp start_min_;
    Timestamp end_min_;
    bool complete_ = true;
    std::size_t steps_ = 0;
    std::array<std::vector<Occurrence>, max_stages> occurrences_;                      // by start
    std::array<std::map<EntityId, std::vector<std::uint32_t>>, max_stages> exposing_;  // by entity: occurrences by start
    std::array<const Occurrence*, max_stages> chosen_{};                               // null: left empty
    EntityId linking_{};                                                               // `same`: the entity now looked at
    std::map<Key, ListedInstance> found_;
};

}  // namespace catenary::engine
