#include "engine/matching/timeline_matcher.hpp"

#include <algorithm>
#include <bit>

// What of a chain there is on an entity whose chain is not whole.

namespace catenary::engine {
namespace {

auto first_from(std::span<const TimelineEntry> entries, Timestamp time) {
    return std::partition_point(entries.begin(), entries.end(), [&](const TimelineEntry& one) { return one.time < time; });
}

}  // namespace

/// Chains that the entry may be part of start with a signal that is there already, or with the entry itself.
void TimelineMatcher::watch(EntityId entity, const Attempt& attempt, const TimelineEntry& entry) {
    const auto noted = watch_.noted(entity);
    if (noted && *noted <= entry.time) return;
    watch_.note(entity, first_from(attempt.entries(), entry.time - plan_.within)->time);
}

/// What is evidence of a finding has led somewhere.
std::vector<ListedEntry> TimelineMatcher::unserved(EntityId entity, const Attempt& attempt, Timestamp from, Timestamp to) const {
    std::vector<ListedEntry> listed;
    const auto entries = attempt.entries();
    for (auto one = first_from(entries, from); one != entries.end() && one->time <= to; ++one) {
        if (one->served != 0) continue;
        const auto stages = static_cast<StageMask>(one->stages & plan_.all);
        listed.push_back({one->time, one->signal, stages, (one->stages & late_bit) != 0, {{entity, plan_.repeated}}});
    }
    return listed;
}

/// Nearly always: the first stage of two.
void TimelineMatcher::look_at_single(EntityId entity, const TimelineEntry& entry, Timestamp to, std::vector<UnfinishedChain>& found) const {
    const auto stage = static_cast<StageIndex>(std::countr_zero(plan_.mandatory));
    if (entry.time > to || !has_stage(entry.stages, stage)) return;
    if (has_stage(plan_.repeated, stage)) {
        look_at_several({{entry.time, entry.signal, static_cast<StageMask>(entry.stages & plan_.all), false, {{entity, plan_.repeated}}}}, entry.time, to,
                        found);
        return;
    }
    UnfinishedChain& chain = found.emplace_back();
    chain.reached = {{stage, entry.signal, entry.time, entry.time}};
    chain.missing = static_cast<StageMask>(plan_.mandatory & ~stage_bit(stage));
    chain.awaited = static_cast<StageIndex>(std::countr_zero(chain.missing));
    chain.entity = entity;
    chain.start = chain.end = entry.time;
    chain.until = entry.time + plan_.within;
}

void TimelineMatcher::look_at_several(const std::vector<ListedEntry>& listed, Timestamp from, Timestamp to, std::vector<UnfinishedChain>& found) const {
    ChainWalk walk{plan_, window_, values_};
    walk.take(listed);
    auto chains = walk.lacking_one(from, to);
    if (!chains.empty()) found.push_back(std::move(chains.front()));
}

std::optional<Timestamp> TimelineMatcher::look(EntityId entity, Timestamp from, Timestamp to, Timestamp watermark, std::vector<UnfinishedChain>& found) {
    const auto place = attempts_.find(entity.value());
    if (place == attempts_.end()) return std::nullopt;
    const Attempt& attempt = place->second;
    const auto entries = attempt.entries();
    StageMask offered = 0;
    std::size_t count = 0;
    const TimelineEntry* first = nullptr;
    for (auto one = first_from(entries, from); one != entries.end() && one->time <= watermark; ++one) {
        if (one->served != 0) continue;
        if (count++ == 0) first = &*one;
        offered = static_cast<StageMask>(offered | (one->stages & plan_.all));
    }
    context_.work += count;
    std::optional<Timestamp> over;
    if (count > 0 && watch_.may_lack_one(offered)) {
        const std::size_t before = found.size();
        if (count == 1) look_at_single(entity, *first, to, found);
        else look_at_several(unserved(entity, attempt, from, watermark), from, to, found);
        if (found.size() > before) over = found.back().start + plan_.within;
    }
    if (entries.empty() || entries.back().time <= to) return std::nullopt;
    const auto next = first_from(entries, over ? std::max(*over, to) + Duration{1} : to + Duration{1});
    return next == entries.end() ? entries.back().time : next->time;
}

std::vector<UnfinishedChain> TimelineMatcher::judge(Timestamp watermark) {
    std::vector<UnfinishedChain> found;
    watch_.look(watermark, [&](EntityId entity, Timestamp from, Timestamp to) { return look(entity, from, to, watermark, found); });
    return found;
}

void TimelineMatcher::work_out(EntityId entity, const Attempt& attempt, PartialSearch& search) const {
    ChainWalk walk{plan_, window_, values_};
    const Timestamp from = search.now < Timestamp::min() + plan_.within ? Timestamp::min() : search.now - plan_.within;
    const auto listed = unserved(entity, attempt, from, Timestamp::max());
    walk.take(listed);
    for (UnfinishedChain& chain : walk.open_at(search.now)) search.found.push_back(std::move(chain));
}

void TimelineMatcher::search(PartialSearch& search) const {
    if (!watch_.is_enabled()) return;
    if (search.entity) {
        const auto place = attempts_.find(search.entity->value());
        if (place != attempts_.end() && search.may_examine()) work_out(*search.entity, place->second, search);
        return;
    }
    std::vector<PartialSearch::Candidate> candidates;
    for (const auto& [entity, attempt] : attempts_) {
        if (!search.may_examine()) break;
        const Timestamp newest = attempt.entries().back().time;
        if (newest + plan_.within < search.now) continue;
        search.offer(candidates, {stage_count(static_cast<StageMask>(plan_.mandatory & ~attempt.offered(plan_))), newest, entity});
    }
    for (const auto& candidate : search.best_of(std::move(candidates))) {
        const EntityId entity{static_cast<std::uint32_t>(candidate.place)};
        work_out(entity, attempts_.at(entity.value()), search);
    }
}

}  // namespace catenary::engine
