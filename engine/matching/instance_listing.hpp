#pragma once

#include "engine/matching/absence_signals.hpp"
#include "engine/matching/distinct_values.hpp"
#include "engine/matching/finding_cut.hpp"
#include "engine/matching/stage_plan.hpp"
#include "engine/matching/window.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
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
    StageMask completes = 0;  ///< of `stages` those that it may complete in an instance; only a listing of instances asks
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
    std::optional<Timestamp> decided_at;   ///< absence is not judged yet: the watermark that will do
    std::vector<LateAnswer> late_answers;  ///< perhaps repeated
};

/// The times at which a further signal that satisfies an absence condition may change something.
struct WatchedTimes {
    Timestamp first = Timestamp::max();
    Timestamp last = Timestamp::min();
    void widen(const AbsenceInterval& interval);
    bool contains(Timestamp time) const { return first <= time && time <= last; }
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.first, self.last);
    }
};
using WatchedConditions = std::vector<WatchedTimes>;  ///< by condition

/// Spells instances out, as many as the bounds allow, of signals that are known to be part of some. For the constructs for which no shorter way to findings is
/// known here: `order: any`, `link: chain`, limits on single gaps. Exponential in the number of stages at worst, so bounded.
class InstanceListing {
public:
    static constexpr std::size_t most_instances = 4096;
    static constexpr std::size_t most_steps = 65'536;

    /// What instances are chosen from and judged by; all of it outlives the listing.
    struct Material {
        const StagePlan& plan;
        const SignalWindow& window;
        const DistinctValues& values;
        const AbsenceSignals& absences;
        Timestamp watermark;
    };

    /// `entries`: in canonical order. Instances count that start at or after `start_min` and end at or after `end_min`.
    InstanceListing(std::span<const ListedEntry> entries, const Material& material, Timestamp start_min, Timestamp end_min);

    /// Those that hold, by span, then by signals.
    std::vector<ListedInstance> take();
    /// Those that hold unless something still comes that must not, and are not among the others: a choice for which absence is judged already goes before
    /// another of the same signals.
    std::vector<ListedInstance> take_waiting();
    /// The watermark that decides on the first of what is not decided, also of what is not among `take_waiting`.
    std::optional<Timestamp> decides_at() const { return decides_at_; }
    /// By condition.
    const WatchedConditions& watched() const { return watched_; }
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
    using Found = std::map<Key, ListedInstance>;
    using StagePair = std::pair<StageIndex, StageIndex>;
    /// A condition on the instance now chosen, and the stages whose linking entities it concerns.
    struct Judged {
        std::size_t condition;
        AbsenceInterval interval;
        StageIndex stage;
        std::optional<StageIndex> until;
    };

    void collect(StageIndex stage);
    void collect_repeated(StageIndex stage);
    void choose(StageIndex stage);
    void try_with(StageIndex stage, const Occurrence& occurrence);
    bool follows(StageIndex stage, const Occurrence& occurrence) const;
    const Occurrence* before(StageIndex stage) const;
    void emit();
    bool link_pair(StageIndex before, StageIndex after, ListedInstance& instance) const;
    bool pick_alone(StageIndex stage, ListedInstance& instance) const;
    void judge_conditions();
    bool pick(EntityId entity, const StagePair* pair, ListedInstance& instance) const;
    void keep(ListedInstance instance);
    bool mentions(const ListedEntry& entry, EntityId entity) const;

    std::span<const ListedEntry> entries_;
    const StagePlan& plan_;
    const SignalWindow& window_;
    const DistinctValues& values_;
    const AbsenceSignals& absences_;
    Timestamp watermark_;
    Timestamp start_min_;
    Timestamp end_min_;
    bool complete_ = true;
    std::size_t steps_ = 0;
    std::array<std::vector<Occurrence>, max_stages> occurrences_;                      // by start
    std::array<std::map<EntityId, std::vector<std::uint32_t>>, max_stages> exposing_;  // by entity: occurrences by start
    std::array<const Occurrence*, max_stages> chosen_{};                               // null: left empty
    EntityId linking_{};                                                               // `same`: the entity now looked at
    std::vector<Judged> judged_;                                                       // scratch of `emit`
    WatchedConditions watched_;
    std::optional<Timestamp> decides_at_;
    Found found_;
    Found waiting_;
};

}  // namespace catenary::engine
