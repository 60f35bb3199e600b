#include "engine/matching/timeline_matcher.hpp"
#include "engine/model/assert.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/last_values.hpp"

namespace catenary::engine {

void TimelineMatcher::save(SnapshotWriter& out) const {
    CATENARY_ASSERT(changed_.empty() && deltas_.empty(), "what is saved was told");
    out(context_.limits.end_min, values_, timelines_.size());
    for (const auto* place : in_order(timelines_)) {
        out(place->first);
        place->second->save(out);
    }
    sets_.save(out);
    out(holds_.size());
    for (const auto* held : in_order(holds_)) out(SignalHandle{held->first}, held->second);
    out(aside_);
}

void TimelineMatcher::load(SnapshotReader& in) {
    in(context_.limits.end_min, values_);
    for (std::size_t left = in.count(); left > 0; --left) {
        EntityId entity = nobody;
        if (plan_.pattern->link == LinkMode::none) SnapshotReader::require(in.number<std::uint32_t>() == nobody.value(), "an unlinked pattern names an entity");
        else in(entity);
        const auto [place, is_new] = timelines_.try_emplace(entity.value(), std::make_unique<Timeline>(entity, plan_));
        SnapshotReader::require(is_new, "an entity has two timelines");
        Timeline& timeline = *place->second;
        timeline.load(in, context_);
        SnapshotReader::require(!timeline.empty() && !timeline.has_changes() && timeline.is_worked_out(), "a timeline is not worked out");
        entries_ += timeline.entries().size();
    }
    const auto timeline_of = [this](EntityId entity) {
        const auto found = timelines_.find(entity.value());
        return found == timelines_.end() ? nullptr : found->second.get();
    };
    sets_.load(in, timeline_of, context_);
    for (const auto& [entity, timeline] : timelines_) {
        for (const Completion& one : timeline->completions()) SnapshotReader::require(sets_.knows(one.vertex, *timeline), "a completion has no number");
    }
    for (std::size_t left = in.count(); left > 0; --left) {
        SignalHandle signal;
        std::uint16_t timelines = 0;
        in(signal, timelines);
        SnapshotReader::require(timelines > 0 && holds_.emplace(signal.value(), timelines).second, "a signal is held twice");
    }
    in(aside_);
}

}  // namespace catenary::engine
