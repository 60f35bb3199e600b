#include "engine/matching/timeline_matcher.hpp"

#include "engine/matching/finding_id.hpp"
#include "engine/model/assert.hpp"

#include <algorithm>
#include <utility>

namespace catenary::engine {
namespace {

InstanceLimits after(Timestamp effective_from) {
    InstanceLimits limits;
    if (effective_from > Timestamp::min()) limits.end_min = effective_from + Duration{1};
    return limits;
}

}  // namespace

TimelineMatcher::TimelineMatcher(std::shared_ptr<const Pattern> pattern, std::string identity, Timestamp effective_from, const SignalWindow& window,
                                 const std::vector<Symbol>& link_kinds)
    : plan_{std::move(pattern)},
      identity_{std::move(identity)},
      window_{window},
      context_{plan_, window_, values_, after(effective_from), {}, {}, {}, 0},
      sets_{identity_, plan_.pattern->link == LinkMode::same} {
    const std::vector<std::string>& names = plan_.pattern->link_kinds;
    CATENARY_ASSERT(link_kinds.empty() || link_kinds.size() == names.size(), "one symbol a link kind");
    for (std::size_t k = 0; k < link_kinds.size(); ++k) {
        StageMask stages = 0;
        each_stage(plan_.repeated, [&](StageIndex stage) {
            if (plan_.pattern->stages[stage].repeat->by == names[k]) stages = static_cast<StageMask>(stages | stage_bit(stage));
        });
        counted_by_.emplace_back(link_kinds[k], stages);
    }
}

void TimelineMatcher::add(SignalHandle signal, StageMask stages, std::span<const EntityId> links, std::span<const std::vector<std::string>> distinct_values) {
    CATENARY_ASSERT(stages != 0 && (stages & ~plan_.all) == 0, "a signal satisfies some stages of the pattern");
    const bool linked = plan_.pattern->link != LinkMode::none;
    if (!linked && plan_.stages == 1 && plan_.repeated == 0) {
        find_alone(signal);
        return;
    }
    const WindowSignal& facts = window_[signal];
    const StageMask late = facts.late ? late_bit : StageMask{0};
    each_stage(static_cast<StageMask>(stages & plan_.distinct), [&](StageIndex stage) { values_.add(signal, stage, distinct_values[stage]); });
    std::uint16_t attempts = 0;
    const auto append_to = [&](EntityId entity, StageMask own) {
        if (own == 0) return;
        append(entity, {facts.time, signal, static_cast<StageMask>(own | late), 0});
        ++attempts;
    };
    if (linked) {
        for (const EntityId entity : links) append_to(entity, stages_for(entity, signal, stages));
    } else {
        append_to(nobody, stages);
    }
    if (attempts == 0) {
        values_.forget(signal, plan_.distinct);
        aside_.push_back(signal);
        return;
    }
    if (attempts > 1) holds_.emplace(signal.value(), attempts);
}

void TimelineMatcher::find_alone(SignalHandle signal) {
    aside_.push_back(signal);
    const Timestamp time = window_[signal].time;
    if (time < context_.limits.end_min) return;
    deltas_.push_back({FindingDelta::Kind::opened, finding_id(identity_, window_, {.anchor = signal}), {{signal, 0}}, time, time, {}, std::nullopt});
}

/// A repeated stage counts for entities of its kind only.
StageMask TimelineMatcher::stages_for(EntityId entity, SignalHandle signal, StageMask stages) const {
    if (counted_by_.empty() || (stages & plan_.repeated) == 0) return stages;
    auto allowed = static_cast<StageMask>(plan_.all & ~plan_.repeated);
    for (const LinkEntity& link : window_.links(signal)) {
        if (link.entity != entity) continue;
        for (const auto& [kind, counted] : counted_by_) {
            if (kind == link.kind) allowed = static_cast<StageMask>(allowed | counted);
        }
    }
    return static_cast<StageMask>(stages & allowed);
}

void TimelineMatcher::append(EntityId entity, const TimelineEntry& entry) {
    const auto [place, is_new] = attempts_.try_emplace(entity.value(), entry);
    Attempt& attempt = place->second;
    if (!is_new) beside_bytes_ += attempt.add(entry, context_);
    if (const Timeline* timeline = attempt.timeline()) {
        sets_.saw(*timeline, entry, context_);
        changed_.push_back(entity);
    } else if (attempt.may_complete(context_)) {
        beside_bytes_ -= attempt.bytes();
        attempt.begin_timeline(entity, context_);
        beside_bytes_ += attempt.bytes();
        changed_.push_back(entity);
    }
    if (watch_.is_enabled() && watch_.may_lack_one(attempt.offered(plan_))) watch(entity, attempt, entry);
}

void TimelineMatcher::bring_up_to_date() {
    if (changed_.empty()) return;
    std::sort(changed_.begin(), changed_.end());
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    for (const EntityId entity : changed_) {
        Timeline& timeline = *attempts_.at(entity.value()).timeline();
        timeline.process(context_);
        if (timeline.has_changes()) sets_.take_changes(timeline, context_);
    }
    changed_.clear();
    sets_.settle(context_, deltas_);
}

std::vector<FindingDelta> TimelineMatcher::take_deltas() {
    bring_up_to_date();
    return std::exchange(deltas_, {});
}

void TimelineMatcher::release(SignalHandle signal, std::vector<SignalHandle>& given_up) {
    if (const auto held = holds_.find(signal.value()); held != holds_.end()) {
        if (--held->second > 0) return;
        holds_.erase(held);
    }
    values_.forget(signal, plan_.distinct);
    given_up.push_back(signal);
}

std::vector<SignalHandle> TimelineMatcher::expire(Timestamp horizon) {
    bring_up_to_date();
    const Timestamp reach = horizon < Timestamp::min() + plan_.within ? Timestamp::min() : horizon - plan_.within;
    const auto needed = sets_.expire(horizon, reach, context_);
    std::vector<SignalHandle> given_up;
    std::vector<SignalHandle> removed;
    for (auto place = attempts_.begin(); place != attempts_.end();) {
        const auto current = place++;
        Attempt& attempt = current->second;
        if (attempt.oldest() >= reach) continue;
        Timestamp cutoff = reach;
        const Timeline* timeline = attempt.timeline();
        if (timeline != nullptr) {
            if (const auto kept = needed.find(timeline); kept != needed.end()) cutoff = std::min(cutoff, kept->second);
        }
        removed.clear();
        beside_bytes_ -= attempt.bytes();
        const bool is_left = attempt.expire(cutoff, context_, removed);
        if (timeline != nullptr && !removed.empty()) sets_.renumber(*timeline);
        for (const SignalHandle signal : removed) release(signal, given_up);
        if (is_left) beside_bytes_ += attempt.bytes();
        else attempts_.erase(current);
    }
    const auto first_over = std::stable_partition(aside_.begin(), aside_.end(), [&](SignalHandle signal) { return window_[signal].time >= horizon; });
    given_up.insert(given_up.end(), first_over, aside_.end());
    aside_.erase(first_over, aside_.end());
    std::sort(given_up.begin(), given_up.end());
    return given_up;
}

std::size_t TimelineMatcher::bytes() const {
    constexpr std::size_t each_place = sizeof(std::pair<std::uint32_t, Attempt>) + 1;
    return sizeof(*this) + attempts_.bucket_count() * each_place + beside_bytes_ + sets_.bytes() + values_.bytes() + watch_.bytes() +
           holds_.bucket_count() * 9 + aside_.capacity() * sizeof(SignalHandle);
}

}  // namespace catenary::engine
