#include "engine/matching/attempt.hpp"

#include <algorithm>
#include <utility>

namespace catenary::engine {

Offer Offer::of(const TimelineEntry& entry, const StagePlan& plan, const SignalWindow& window, const DistinctValues& values) {
    Offer offer{static_cast<StageMask>(entry.stages & plan.all), 0};
    if (!plan.counted || !has_stage(entry.stages, *plan.counted)) return offer;
    const bool by_value = has_stage(plan.distinct, *plan.counted);
    offer.counted = by_value ? static_cast<std::int64_t>(values(entry.signal, *plan.counted).size())
                             : std::clamp<std::int64_t>(window[entry.signal].count, 1, plan.at_least);
    return offer;
}

Offer& Offer::operator+=(const Offer& other) {
    stages = static_cast<StageMask>(stages | other.stages);
    counted += other.counted;
    return *this;
}

Timestamp Attempt::oldest() const {
    if (const auto* single = std::get_if<TimelineEntry>(&state_)) return single->time;
    if (const auto* several = std::get_if<Several>(&state_)) return several->oldest;
    return std::get<Worked>(state_).oldest;
}

Timeline* Attempt::timeline() const {
    const auto* worked = std::get_if<Worked>(&state_);
    return worked != nullptr ? worked->timeline.get() : nullptr;
}

std::span<const TimelineEntry> Attempt::waiting() const {
    if (const auto* single = std::get_if<TimelineEntry>(&state_)) return {single, 1};
    if (const auto* several = std::get_if<Several>(&state_)) return {several->waiting->entries.data(), several->waiting->entries.size()};
    return {};
}

StageMask Attempt::offered(const StagePlan& plan) const {
    if (const auto* single = std::get_if<TimelineEntry>(&state_)) return static_cast<StageMask>(single->stages & plan.all);
    const auto* several = std::get_if<Several>(&state_);
    return several != nullptr ? several->waiting->offer.stages : plan.all;
}

std::span<const TimelineEntry> Attempt::entries() const {
    if (const Timeline* worked = timeline()) return worked->entries();
    return waiting();
}

std::size_t Attempt::size() const { return timeline() != nullptr ? timeline()->entries().size() : waiting().size(); }

bool Attempt::may_complete(const TimelineContext& context) const {
    if (const auto* single = std::get_if<TimelineEntry>(&state_)) {
        return Offer::of(*single, context.plan, context.window, context.values).may_complete(context.plan);
    }
    const auto* several = std::get_if<Several>(&state_);
    return several == nullptr || several->waiting->offer.may_complete(context.plan);
}

std::size_t Attempt::add(const TimelineEntry& entry, TimelineContext& context) {
    ++context.work;
    if (auto* worked = std::get_if<Worked>(&state_)) {
        worked->oldest = std::min(worked->oldest, entry.time);
        worked->timeline->add(entry, context);
        return worked_out_entry;
    }
    std::size_t before = 0;
    if (const auto* single = std::get_if<TimelineEntry>(&state_)) {
        auto waiting = std::make_unique<Waiting>();
        waiting->offer = Offer::of(*single, context.plan, context.window, context.values);
        waiting->entries.push_back(*single);
        state_ = Several{single->time, std::move(waiting)};
    } else {
        before = std::get<Several>(state_).waiting->bytes();
    }
    auto& several = std::get<Several>(state_);
    auto& entries = several.waiting->entries;
    const auto place =
        std::upper_bound(entries.begin(), entries.end(), entry.time, [](Timestamp time, const TimelineEntry& other) { return time < other.time; });
    entries.insert(place, entry);
    several.oldest = entries.front().time;
    several.waiting->offer += Offer::of(entry, context.plan, context.window, context.values);
    return several.waiting->bytes() - before;
}

Timeline& Attempt::begin_timeline(EntityId entity, TimelineContext& context) {
    auto timeline = std::make_unique<Timeline>(entity, context.plan);
    for (const TimelineEntry& entry : waiting()) timeline->add(entry, context);
    set_timeline(std::move(timeline));
    return *std::get<Worked>(state_).timeline;
}

void Attempt::set_timeline(std::unique_ptr<Timeline> timeline) {
    const Timestamp oldest = timeline->entries().front().time;
    state_ = Worked{oldest, std::move(timeline)};
}

bool Attempt::expire(Timestamp cutoff, TimelineContext& context, std::vector<SignalHandle>& removed) {
    if (const auto* single = std::get_if<TimelineEntry>(&state_)) {
        if (single->time >= cutoff) return true;
        removed.push_back(single->signal);
        return false;
    }
    if (auto* worked = std::get_if<Worked>(&state_)) {
        worked->timeline->expire(cutoff, context, removed);
        if (worked->timeline->empty()) return false;
        worked->oldest = worked->timeline->entries().front().time;
        return true;
    }
    auto& several = std::get<Several>(state_);
    auto& entries = several.waiting->entries;
    const auto kept = std::find_if(entries.begin(), entries.end(), [&](const TimelineEntry& entry) { return entry.time >= cutoff; });
    std::for_each(entries.begin(), kept, [&](const TimelineEntry& entry) { removed.push_back(entry.signal); });
    entries.erase(entries.begin(), kept);
    if (entries.empty()) return false;
    if (entries.size() == 1) {
        state_ = TimelineEntry{entries.front()};
        return true;
    }
    several.oldest = entries.front().time;
    several.waiting->offer = {};
    for (const TimelineEntry& entry : entries) several.waiting->offer += Offer::of(entry, context.plan, context.window, context.values);
    return true;
}

std::size_t Attempt::bytes() const {
    if (const Timeline* worked = timeline()) return sizeof(Timeline) + sizeof(SegmentList) + worked->entries().size() * worked_out_entry;
    const auto* several = std::get_if<Several>(&state_);
    return several != nullptr ? several->waiting->bytes() : 0;
}

}  // namespace catenary::engine
