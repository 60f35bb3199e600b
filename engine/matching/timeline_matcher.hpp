#pragma once

#include "engine/matching/attempt.hpp"
#include "engine/matching/chain_walk.hpp"
#include "engine/matching/connected_sets.hpp"
#include "engine/matching/matcher_state.hpp"
#include "engine/matching/near_miss_watch.hpp"
#include "engine/matching/partial_search.hpp"
#include "engine/matching/timeline.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace catenary::engine {

/// Patterns whose stages follow each other on one entity, with no limit on single gaps: each entity has an attempt of its own, and a timeline once that
/// may succeed.
class TimelineMatcher final : public MatcherState {
public:
    TimelineMatcher(std::shared_ptr<const Pattern> pattern, std::string identity, Timestamp effective_from, const SignalWindow& window,
                    const std::vector<Symbol>& link_kinds);

    void add(SignalHandle signal, StageMask stages, std::span<const EntityId> links, std::span<const std::vector<std::string>> distinct_values) override;
    std::vector<SignalHandle> expire(Timestamp horizon) override;
    std::vector<FindingDelta> take_deltas() override;
    std::vector<UnfinishedChain> judge(Timestamp watermark) override;
    Timestamp next_judgement() const override { return watch_.next_due(); }
    void search(PartialSearch& search) const override;
    std::size_t attempts() const override { return attempts_.size(); }

    const Pattern& pattern() const override { return *plan_.pattern; }
    std::size_t bytes() const override;
    std::uint64_t work() const override { return context_.work; }
    std::uint64_t capped() const override { return 0; }
    void save(SnapshotWriter& out) const override;
    void load(SnapshotReader& in) override;

private:
    // The one timeline of an unlinked pattern.
    static constexpr EntityId nobody{0xFFFF'FFFF};

    /// A signal that needs no timeline: the pattern is one unlinked plain stage, and the signal a finding by itself.
    void find_alone(SignalHandle signal);
    StageMask stages_for(EntityId entity, SignalHandle signal, StageMask stages) const;
    void append(EntityId entity, const TimelineEntry& entry);
    void bring_up_to_date();
    // timeline_matcher_partial.cpp
    void watch(EntityId entity, const Attempt& attempt, const TimelineEntry& entry);
    std::vector<ListedEntry> unserved(EntityId entity, const Attempt& attempt, Timestamp from, Timestamp to) const;
    std::optional<Timestamp> look(EntityId entity, Timestamp from, Timestamp to, Timestamp watermark, std::vector<UnfinishedChain>& found);
    void look_at_single(EntityId entity, const TimelineEntry& entry, Timestamp to, std::vector<UnfinishedChain>& found) const;
    void look_at_several(const std::vector<ListedEntry>& listed, Timestamp from, Timestamp to, std::vector<UnfinishedChain>& found) const;
    void work_out(EntityId entity, const Attempt& attempt, PartialSearch& search) const;
    void release(SignalHandle signal, std::vector<SignalHandle>& given_up);
    Attempt load_worked(EntityId entity, SnapshotReader& in) const;
    Attempt load_waiting(SnapshotReader& in);

    StagePlan plan_;
    std::string identity_;
    const SignalWindow& window_;
    std::vector<std::pair<Symbol, StageMask>> counted_by_;  // kinds that repeated stages count by, with those stages
    DistinctValues values_;
    TimelineContext context_;
    boost::unordered_flat_map<std::uint32_t, Attempt> attempts_;  // by entity
    ConnectedSets sets_;
    boost::unordered_flat_map<std::uint32_t, std::uint16_t> holds_;  // signals in several attempts, with how many
    std::vector<EntityId> changed_;                                  // timelines to bring up to date, perhaps repeated
    std::vector<SignalHandle> aside_;                                // signals in no attempt
    std::vector<FindingDelta> deltas_;
    std::size_t beside_bytes_ = 0;  // of the attempts, beside the map
    NearMissWatch watch_{plan_};
};

}  // namespace catenary::engine
