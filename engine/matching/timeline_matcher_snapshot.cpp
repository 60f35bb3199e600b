#include "engine/matching/timeline_matcher.hpp"
#include "engine/model/assert.hpp"
#include "engine/snapshot/codec.hpp"
#include "engine/snapshot/last_values.hpp"

namespace catenary::engine {

void TimelineMatcher::save(SnapshotWriter& out) const {
    CATENARY_ASSERT(changed_.empty() && deltas_.empty(), "what is saved was told");
    out(context_.limits.end_min, values_, attempts_.size());
    for (const auto* place : in_order(out, attempts_)) {
        const Timeline* timeline = place->second.timeline();
        out(EntityId{place->first}, timeline != nullptr);
        if (timeline != nullptr) {
            timeline->save(out);
            continue;
        }
        const auto waiting = place->second.waiting();
        out(waiting.size());
        for (const TimelineEntry& entry : waiting) out(entry);
    }
    sets_.save(out);
    out(holds_.size());
    for (const auto* held : in_order(out, holds_)) out(SignalHandle{held->first}, held->second);
    watch_.each([&](EntityId entity) { out.name(entity); });
    out(aside_, watch_);
}

Attempt TimelineMatcher::load_worked(EntityId entity, SnapshotReader& in) const {
    auto timeline = std::make_unique<Timeline>(entity, plan_);
    timeline->load(in, context_);
    SnapshotReader::require(!timeline->empty() && !timeline->has_changes() && timeline->is_worked_out(), "a timeline is not worked out");
    Attempt attempt{timeline->entries().front()};
    attempt.set_timeline(std::move(timeline));
    return attempt;
}

Attempt TimelineMatcher::load_waiting(SnapshotReader& in) {
    const auto next = [&] {
        TimelineEntry entry;
        in(entry);
        const bool is_known = (entry.stages & ~(plan_.all | late_bit)) == 0 && (entry.stages & plan_.all) != 0;
        SnapshotReader::require(is_known && entry.served == 0, "a signal that waits serves or satisfies an unknown stage");
        return entry;
    };
    std::size_t left = in.count();
    SnapshotReader::require(left > 0, "an attempt has no signal");
    TimelineEntry last = next();
    Attempt attempt{last};
    while (--left > 0) {
        const TimelineEntry entry = next();
        SnapshotReader::require(last.time <= entry.time, "signals are out of order");
        attempt.add(entry, context_);
        last = entry;
    }
    SnapshotReader::require(!attempt.may_complete(context_), "an attempt that may succeed is not worked out");
    return attempt;
}

void TimelineMatcher::load(SnapshotReader& in) {
    in(context_.limits.end_min, values_);
    for (std::size_t left = in.count(); left > 0; --left) {
        EntityId entity = nobody;
        if (plan_.pattern->link == LinkMode::none) SnapshotReader::require(in.number<std::uint32_t>() == nobody.value(), "an unlinked pattern names an entity");
        else in(entity);
        bool has_timeline = false;
        in(has_timeline);
        Attempt attempt = has_timeline ? load_worked(entity, in) : load_waiting(in);
        beside_bytes_ += attempt.bytes();
        SnapshotReader::require(attempts_.try_emplace(entity.value(), std::move(attempt)).second, "an entity is attempted twice");
    }
    const auto timeline_of = [this](EntityId entity) {
        const auto found = attempts_.find(entity.value());
        return found == attempts_.end() ? nullptr : found->second.timeline();
    };
    sets_.load(in, timeline_of, context_);
    for (const auto& [entity, attempt] : attempts_) {
        const Timeline* timeline = attempt.timeline();
        if (timeline == nullptr) continue;
        for (const Completion& one : timeline->completions()) SnapshotReader::require(sets_.knows(one.vertex, *timeline), "a completion has no number");
    }
    for (std::size_t left = in.count(); left > 0; --left) {
        SignalHandle signal;
        std::uint16_t timelines = 0;
        in(signal, timelines);
        SnapshotReader::require(timelines > 0 && holds_.emplace(signal.value(), timelines).second, "a signal is held twice");
    }
    in(aside_, watch_);
    SnapshotReader::require(watch_.is_sound(), "an entity waits twice to be looked at");
}

}  // namespace catenary::engine
