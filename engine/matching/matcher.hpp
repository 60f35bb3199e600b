#pragma once

#include "engine/matching/pattern.hpp"
#include "engine/matching/window.hpp"
#include "engine/model/ids.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace catenary::engine {

class MatcherState;
class PartialSearch;
class RequiredDomains;
struct UnfinishedChain;

/// Bit i set: the signal satisfies stage i's `match`; bit `first_absence` + i: the `match` of absence condition i.
using StageMask = std::uint16_t;
constexpr std::size_t first_absence = 10;  // a pattern has at most ten stages
constexpr StageMask stage_bits = (1U << first_absence) - 1U;
constexpr StageMask absence_bits = ((1U << Absence::most) - 1U) << first_absence;

struct StageEvidence {
    SignalHandle signal;
    std::uint8_t stage;  ///< index of the earliest stage that the signal serves in the finding
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.signal, self.stage);
    }
    friend bool operator==(const StageEvidence&, const StageEvidence&) = default;
};

/// A signal that must not have come, and came when absence may have been judged already: it annotates the finding.
struct LateAnswer {
    SignalHandle signal;
    std::uint8_t condition;                  ///< index among the pattern's `absent`
    static constexpr std::size_t most = 16;  ///< told of one finding, the earliest
    template <class Archive, class Self>
    static void fields(Archive& archive, Self& self) {
        archive(self.signal, self.condition);
    }
    friend auto operator<=>(const LateAnswer&, const LateAnswer&) = default;
};

/// One change of one pattern's findings. A delta leaves the finding as semantics.md 4.3 defines it for the entries seen so far.
struct FindingDelta {
    enum class Kind {
        opened,      ///< a new finding; `added` is its whole evidence
        extended,    ///< more evidence (`added`), nothing taken away, same id; a signal that was there comes again when it now serves an earlier stage
        revised,     ///< same id, evidence replaced: `added` is the whole evidence; also one that held and waits now
        superseded,  ///< the id no longer names a finding; `superseded_by` is the one that holds its anchor's instance now, if any
    };
    Kind kind;
    FindingId id;
    std::vector<StageEvidence> added;
    Timestamp start;                   ///< earliest activity
    Timestamp end;                     ///< latest activity
    std::vector<EntityId> principals;  ///< sorted; `same`: what links its instances; `chain`: what links most pairs of their stages; else empty
    std::optional<FindingId> superseded_by;
    /// Its instances hold unless something that must be absent still comes; the watermark that decides on the first of them. Empty: they hold.
    std::optional<Timestamp> waiting_until{};
    std::vector<LateAnswer> late_answers{};  ///< all that are told, in canonical order
    bool more_late_answers = false;          ///< there are more than are told
};

/// One version of one pattern over one tenant's window. Deterministic; deltas are a function of the sequence of calls, the findings after
/// them a function of the set of signals (semantics.md, principle 1).
class PatternMatcher {
public:
    /// `identity` prefixes the hash of every finding id: "tenant/pattern/version". Instances count whose last completing signal is after
    /// `effective_from`. The window outlives the matcher. `link_kinds`: the symbols of the pattern's link kinds, in their order, so that a stage repeated
    /// `by` a kind counts for entities of that kind only (read from the window's links); left out, every entity is taken to be of that kind.
    PatternMatcher(std::shared_ptr<const Pattern> pattern, std::string identity, Timestamp effective_from, const SignalWindow& window,
                   std::vector<Symbol> link_kinds = {});
    ~PatternMatcher();
    PatternMatcher(PatternMatcher&&) noexcept;
    PatternMatcher& operator=(PatternMatcher&&) noexcept;

    /// Takes a signal of the window that satisfies the stages and conditions of `stages` (never 0). `links`: its linkable entities of the pattern's link kinds,
    /// sorted, each once (ignored by an unlinked pattern). `distinct_values[i]`: values of stage i's `distinct`, empty where the stage has none. `mentions`: of
    /// a signal that satisfies an absence condition every entity that it names, also one that it must not link by; each once. In time order O(1) amortised per
    /// signal and stage; an earlier time re-examines the entities it touches.
    void add(SignalHandle signal, StageMask stages, std::span<const EntityId> links, std::span<const std::vector<std::string>> distinct_values,
             std::span<const EntityId> mentions = {});

    /// The tenant's watermark, by which absence is judged; an earlier one than before changes nothing. Without one nothing is judged.
    void move_watermark(Timestamp watermark);
    /// The watermark at which something of what is found so far will be judged; empty: nothing waits.
    std::optional<Timestamp> decides_at() const;

    /// Forgets what no instance ending at or after `horizon` can reach; from now on no signal is earlier than `horizon`. Handles given up are returned,
    /// sorted, so that the window can count them down: each handle given to `add` exactly once, also one that took no part for want of links.
    std::vector<SignalHandle> expire(Timestamp horizon);

    /// Changes since the last call, in a canonical order. What happened to one finding in several steps since then is one change, unless `expire` was
    /// called between.
    std::vector<FindingDelta> take_deltas();

    const Pattern& pattern() const;
    /// Bytes held, an estimate for diagnostics.
    std::size_t bytes() const;
    /// Steps of matching taken so far: entries, segments and search probes looked at. Independent of machine and load; what tests of the bounds compare.
    std::uint64_t work() const;

    /// How often a group of signals was too large or had too many instances to be worked out whole, so that evidence may be missing, or a chain had too many
    /// signals near it to be followed whole for a near miss; 0 for a sequence linked by `same` without gap limits and absence, which has no such bound.
    std::uint64_t capped() const;

    /// Chains that lack one mandatory stage and whose wait the watermark has ended since the last call: of each entity at most one for each `within`. None of
    /// their signals is evidence of a finding. Right after `take_deltas` only. O(1) amortised a signal.
    std::vector<UnfinishedChain> judge(Timestamp watermark);
    /// Before the watermark reaches this time `judge` has nothing to tell.
    Timestamp next_judgement() const;
    /// Adds chains that are part-way.
    void search(PartialSearch& search) const;
    /// Entities (of a chain or without an order: groups of signals) that something is held of.
    std::size_t attempts() const;

    /// Right after `take_deltas` only.
    void save(SnapshotWriter& out) const;
    /// Into a matcher of the same pattern over the same window that was given nothing.
    void load(SnapshotReader& in);

private:
    std::unique_ptr<MatcherState> state_;
    std::unique_ptr<RequiredDomains> required_domains_;  // null: the pattern requires none
    const SignalWindow* window_;
};

}  // namespace catenary::engine
