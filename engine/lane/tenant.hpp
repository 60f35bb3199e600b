#pragma once

#include "engine/incidents/incidents.hpp"
#include "engine/lane/control.hpp"
#include "engine/lane/deployment.hpp"
#include "engine/lane/dictionary.hpp"
#include "engine/lane/effects.hpp"
#include "engine/lane/held_signals.hpp"
#include "engine/lane/lane.hpp"
#include "engine/lane/link_rules.hpp"
#include "engine/lane/near_misses.hpp"
#include "engine/lane/rematch_counts.hpp"
#include "engine/lane/rematches.hpp"
#include "engine/lane/stage_index.hpp"
#include "engine/lane/tenant_clock.hpp"
#include "engine/snapshot/snapshot_fwd.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace catenary::engine {

/// All state of one tenant. Nothing in it refers to another tenant.
class Tenant {
public:
    /// So many signals are held at most, unless set otherwise: some two to six gigabytes with what hangs on them.
    static constexpr std::int64_t usual_window_signals = 20'000'000;
    /// And of these one pattern holds no more than one in so many: whatever it wants, there is room for the others.
    static constexpr std::int64_t window_share_of_pattern = 2;
    /// Below so many bytes nobody looks for what may be forgotten of names and entities.
    static constexpr std::uint64_t least_forgotten_bytes = 256 * 1024;

    /// `shipped`: what runs until the tenant says otherwise, of generation 1. Shared, never copied.
    Tenant(TenantId id, std::shared_ptr<const StageIndex> shipped);
    Tenant(const Tenant&) = delete;  // matchers refer to the window
    Tenant& operator=(const Tenant&) = delete;

    void apply(Position position, Timestamp admitted, const SignalView& signal);
    void apply(Position position, Timestamp admitted, const ControlBody& body, std::span<const StoredSignal> history);
    std::optional<HistoryRequest> history_for(const ControlBody& body) const;

    /// After an entry: whether something is matched again before the next one.
    bool wants_rematch() const { return rematch_ || (rematches_waiting_ > 0 && rematch_allowance_.has_room(stamp_.admitted)); }
    /// What is read for it. Only while something is wanted.
    RematchRequest rematch_request();
    void rematch(const RematchAnswer& answer);

    std::optional<Timestamp> earliest_activity() const { return incidents_.earliest_activity(); }
    void carry_over(const StoredIncidents& stored, EntryStamp stamp) { incidents_.carry_over(stored, newest_or_never(), stamp); }

    TenantEffects take_effects();
    TenantStatus status() const;
    /// Forgets what nothing names of what signals have interned, which an entry does by itself when there is much.
    void forget_unnamed();
    /// Chains that are part-way. Bounded: PartialSearch says by what.
    PartialChains partials(const PartialWanted& wanted) const;
    TenantHealth health() const;
    const std::set<std::string>& attribute_paths() const { return attribute_paths_; }
    std::string digest() const;
    /// Right after `take_effects` only.
    void save(SnapshotWriter& out) const;
    /// Into a tenant that has seen nothing.
    void load(SnapshotReader& in);

private:
    using Deployments = std::vector<std::unique_ptr<Deployment>>;
    struct Mentions {
        std::vector<LinkEntity> links;   // sorted
        std::vector<LinkEntity> denied;  // sorted; these link where a pattern groups by their kind
        std::vector<LinkEntity> merged;  // links and denied, sorted, where there are denied ones
        std::vector<EntityId> shown;     // mentioned, but linking nothing
        std::span<const LinkEntity> links_and_denied() const { return denied.empty() ? links : merged; }
    };
    struct Taker {
        Deployment* deployment;
        StageMask stages;  // and conditions
    };
    /// The re-match being made.
    struct Rematch {
        struct Bounds {
            std::set<EntityKey> entities;
            Timestamp from;
            Timestamp to;
        };
        Deployment* deployment;
        std::vector<RematchSeed> seeds;
        Bounds bounds;
        std::optional<Bounds> former;  // what was read before more turned out to be needed
        int rounds = 0;
        bool is_last = false;  // whatever there is more: it is too much
        bool is_cut = false;
    };
    /// What hangs together with the seeds of a re-match.
    struct Together {
        std::vector<FindingDelta> found;
        std::vector<FindingId> former;      // findings in memory, as they were before
        std::vector<SignalHandle> signals;  // of all of these, and the seeds
        Timestamp start;
        Timestamp end;
    };

    // signals (tenant_signals.cpp)
    static bool exceeds_limit(const SignalView& signal, std::size_t limit);
    void read_mentions(const SignalView& signal);
    bool has_links(const Deployment& deployment) const;
    bool mentions_linking_kind(const Deployment& deployment) const;
    void read_unwanted_mentions(const Deployment& deployment);
    bool find_takers(const SignalView& signal, DefinitionId definition);
    bool take_from(Deployment& deployment, Incidents::FoundAmong among = Incidents::FoundAmong::window);
    bool judge_absence();
    void give(Deployment& deployment, SignalHandle handle, StageMask stages, const SignalView& signal);

    // what is to be matched again (tenant_rematch_wanted.cpp)
    void want_rematch(const SignalView& signal, std::span<const Taker> takers);
    void want_rematch_near(Deployment& deployment, const SignalView& signal, StageMask stages);
    void want_decided_rematches();
    void divert(Deployment& deployment, std::vector<FindingDelta>& deltas);
    std::vector<EntityKey> link_keys(const Deployment& deployment, bool with_shown) const;
    std::vector<EntityKey> link_keys(const Deployment& deployment, SignalHandle signal) const;
    bool is_awaited(const Finding& finding) const;
    void stop_waiting(Deployment& deployment, std::span<const RematchSeed> seeds);
    void count_rematches();

    // re-matches (tenant_rematch.cpp)
    void begin_rematch(Deployment& deployment, std::vector<RematchSeed> seeds);
    Together hanging_together(std::vector<FindingDelta> found, const std::vector<SignalHandle>& seeds) const;
    std::optional<Rematch::Bounds> wider_bounds(const Together& together, std::span<const SignalHandle> given) const;
    void take_rematched(Together together, const std::vector<SignalHandle>& seeds);
    void end_rematch();

    // control entries (tenant_control.cpp)
    void change_pattern(const PatternChange& change, std::span<const StoredSignal> history);
    void change_settings(const SettingChange& change);
    void change_entity(const EntityChange& change);
    Timestamp newest_or_never() const { return clock_.newest().value_or(Timestamp::min()); }
    Timestamp effective_from(const PatternChange& change) const;
    static bool ends(const PatternChange& change, const Deployment& deployment);
    Deployment* running(const Pattern& pattern) const;
    void end_namesake(const Pattern& pattern, Timestamp effective_from);
    std::unique_ptr<Deployment> made(std::shared_ptr<const Pattern> pattern, Mode mode, Timestamp effective_from);
    Deployment& deploy(std::shared_ptr<const Pattern> pattern, Mode mode, Timestamp effective_from);
    std::vector<SignalHandle> give_stored(Deployment& deployment, std::span<const StoredSignal> history);
    void give_history(Deployment& deployment, std::span<const StoredSignal> history);
    void stop(std::unique_ptr<Deployment> deployment);
    void deployments_changed();
    void end_entry(EntryStamp stamp);
    void expire_if_due(EntryStamp stamp);
    void make_room(EntryStamp stamp);
    std::int64_t most_of_pattern() const { return std::max<std::int64_t>(window_signals_ / window_share_of_pattern, 1); }
    void make_room(Deployment& deployment);
    bool has_room(Deployment& deployment, Timestamp time);
    void forget(Deployment& deployment, Timestamp until);
    /// What becomes of incidents that have had their time, but that a signal may belong to which waits to be matched again.
    enum class Awaited { stays, ends };
    void expire(Timestamp until, EntryStamp stamp, Awaited awaited);
    void save_state(SnapshotWriter& out) const;

    // chains that are not whole (tenant_partial.cpp)
    void next_judgement_at_most(Timestamp time);
    void work_out_next_judgement();
    void judge_if_due();
    EntityKey key_of(EntityId entity) const;
    std::vector<ChainStage> stages_of(const Pattern& pattern, const UnfinishedChain& chain) const;
    NearMissRecord near_miss(const Deployment& deployment, const UnfinishedChain& chain) const;
    PartialChain partial(const Deployment& deployment, const UnfinishedChain& chain) const;

    /// Members with plain values.
    template <class Archive, class Self>
    static void counters(Archive& archive, Self& self) {
        archive(self.clock_, self.scoring_, self.link_rules_, self.expired_until_, self.signals_, self.late_, self.unlinkable_, self.behind_horizon_,
                self.oldest_behind_horizon_, self.judged_until_, self.near_misses_allowed_, self.near_misses_kept_from_, self.rematch_allowance_,
                self.rematch_counts_, self.awaiting_, self.window_signals_, self.evicted_, self.turned_away_, self.forget_above_);
    }

    TenantId id_;
    Dictionary dictionary_;
    HeldSignals held_{dictionary_.definitions};
    Incidents incidents_{dictionary_, held_};
    Deployments deployments_;
    std::shared_ptr<const StageIndex> shipped_stages_;
    std::shared_ptr<const StageIndex> stages_;  ///< of `deployments_`
    std::uint64_t stage_generation_ = 1;
    std::set<std::string> attribute_paths_;
    TenantClock clock_;
    ScoringParameters scoring_;
    LinkRules link_rules_;
    Duration longest_reach_{};                    ///< of everything that runs
    Timestamp next_decision_ = Timestamp::min();  ///< the watermark at which absence is judged next, or earlier
    std::optional<Timestamp> expired_until_;
    std::int64_t window_signals_ = usual_window_signals;  ///< most that are held
    std::int64_t evicted_ = 0;                            ///< signals forgotten before their time, since more were held
    std::int64_t turned_away_ = 0;                        ///< signals that found no room: they wait to be matched again from the store
    std::uint64_t forget_above_ = least_forgotten_bytes;  ///< bytes of the dictionary at which what nothing names is looked for

    std::int64_t signals_ = 0;
    std::int64_t late_ = 0;
    std::int64_t unlinkable_ = 0;
    std::int64_t behind_horizon_ = 0;
    std::optional<Timestamp> oldest_behind_horizon_;
    std::vector<SignalRef> late_marks_;
    std::vector<SignalRef> behind_horizon_marks_;

    Timestamp next_judgement_ = Timestamp::max();  ///< no matcher has anything to tell before the watermark comes there
    std::optional<Timestamp> judged_until_;
    NearMissAllowance near_misses_allowed_{NearMissAllowance::most_of_tenant};
    std::optional<Timestamp> near_misses_kept_from_;
    bool has_forgotten_near_misses_ = false;  ///< since effects were taken
    std::vector<NearMissRecord> near_misses_;

    EntryStamp stamp_{};  ///< of the last entry
    RematchAllowance rematch_allowance_;
    RematchCounts rematch_counts_;
    std::map<SignalRef, std::uint32_t> awaiting_;  ///< signals behind the horizon that wait, and for how many deployments
    std::vector<SignalRef> rematched_;             ///< since effects were taken
    // What follows from the deployments' re-matches.
    std::size_t rematches_waiting_ = 0;
    Timestamp next_rematch_decision_ = Timestamp::max();
    std::optional<Rematch> rematch_;

    // scratch of one signal
    Mentions mentions_;
    std::vector<Taker> takers_;
    std::vector<Taker> left_out_;  ///< of them those that cannot get the signal
    std::vector<EntityId> links_;
    std::vector<EntityId> unwanted_mentions_;
    std::vector<std::vector<std::string>> distinct_;
};

}  // namespace catenary::engine
