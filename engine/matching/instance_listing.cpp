#include "engine/matching/instance_listing.hpp"

#include "engine/matching/tightest_suffix.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

namespace catenary::engine {

InstanceListing::InstanceListing(std::span<const ListedEntry> entries, const StagePlan& plan, const SignalWindow& window, const DistinctValues& values,
                                 Timestamp start_min, Timestamp end_min)
    : entries_{entries}, plan_{plan}, window_{window}, values_{values}, start_min_{start_min}, end_min_{end_min} {
    for (StageIndex stage = 0; stage < plan_.stages; ++stage) collect(stage);
    if (plan_.pattern->link == LinkMode::chain) {
        choose(0);
        return;
    }
    std::set<EntityId> entities;
    for (const ListedEntry& entry : entries_) {
        for (const ListedEntry::Link& link : entry.links) entities.insert(link.entity);
    }
    for (const EntityId entity : entities) {
        linking_ = entity;
        choose(0);
    }
}

bool InstanceListing::mentions(const ListedEntry& entry, EntityId entity) const {
    return std::any_of(entry.links.begin(), entry.links.end(), [&](const ListedEntry::Link& link) { return link.entity == entity; });
}

void InstanceListing::collect(StageIndex stage) {
    auto& all = occurrences_[stage];
    if (has_stage(plan_.repeated, stage)) {
        collect_repeated(stage);
    } else {
        for (std::uint32_t i = 0; i < entries_.size(); ++i) {
            if (!has_stage(entries_[i].stages, stage)) continue;
            Occurrence one{entries_[i].time, entries_[i].time, i, i, i, {}, false};
            for (const ListedEntry::Link& link : entries_[i].links) one.exposed.push_back(link.entity);
            all.push_back(std::move(one));
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const Occurrence& left, const Occurrence& right) { return left.start < right.start; });
    for (std::uint32_t o = 0; o < all.size(); ++o) {
        for (const EntityId entity : all[o].exposed) exposing_[stage][entity].push_back(o);
    }
}

void InstanceListing::collect_repeated(StageIndex stage) {
    std::map<EntityId, std::vector<TimelineEntry>> counted;
    std::map<EntityId, std::vector<std::uint32_t>> places;
    for (std::uint32_t i = 0; i < entries_.size(); ++i) {
        if (!has_stage(entries_[i].stages, stage)) continue;
        for (const ListedEntry::Link& link : entries_[i].links) {
            if (!has_stage(link.counted, stage)) continue;
            counted[link.entity].push_back({entries_[i].time, entries_[i].signal, stage_bit(stage), 0});
            places[link.entity].push_back(i);
        }
    }
    for (const auto& [entity, signals] : counted) {
        const std::vector<std::uint32_t>& place = places.at(entity);
        TightestSuffix suffix{stage, plan_};
        for (std::size_t begin = 0, end = 0; begin < signals.size(); begin = end) {
            for (; end < signals.size() && signals[end].time == signals[begin].time; ++end) suffix.push(signals, end, window_, values_);
            steps_ += end - begin;
            const auto start = suffix.start(signals, signals[begin].time);
            if (!start) continue;
            const auto from = std::partition_point(signals.begin(), signals.end(), [&](const TimelineEntry& one) { return one.time < *start; });
            const std::uint32_t first = place[static_cast<std::size_t>(from - signals.begin())];
            for (std::size_t i = begin; i < end; ++i) {
                occurrences_[stage].push_back({*start, signals[i].time, place[i], first, place[end - 1], {entity}, true});
            }
        }
    }
}

const InstanceListing::Occurrence* InstanceListing::before(StageIndex stage) const {
    while (stage-- > 0) {
        if (chosen_[stage] != nullptr) return chosen_[stage];
    }
    return nullptr;
}

void InstanceListing::choose(StageIndex stage) {
    if (!complete_) return;
    if (++steps_ > most_steps) {
        complete_ = false;
        return;
    }
    if (stage == plan_.stages) {
        emit();
        return;
    }
    chosen_[stage] = nullptr;
    if (!has_stage(plan_.mandatory, stage)) choose(static_cast<StageIndex>(stage + 1));

    const Occurrence* previous = before(stage);
    std::vector<std::uint32_t> candidates;
    const auto offer = [&](EntityId entity) {
        const auto place = exposing_[stage].find(entity);
        if (place == exposing_[stage].end()) return;
        const auto& all = occurrences_[stage];
        auto begin = place->second.begin();
        auto end = place->second.end();
        if (previous != nullptr) {
            Timestamp earliest = previous->end;
            Timestamp latest_start = previous->start + plan_.within;
            if (plan_.pattern->order == Order::any) {
                earliest = previous->end - plan_.within;
            } else if (const auto& gap = plan_.pattern->stages[stage].within) {
                latest_start = std::min(latest_start, previous->end + *gap);
            }
            begin = std::partition_point(begin, end, [&](std::uint32_t o) { return all[o].start < earliest; });
            end = std::partition_point(begin, end, [&](std::uint32_t o) { return all[o].start <= latest_start; });
        }
        candidates.insert(candidates.end(), begin, end);
    };
    if (plan_.pattern->link != LinkMode::chain) {
        offer(linking_);
    } else if (previous != nullptr) {
        for (const EntityId entity : previous->exposed) offer(entity);
        std::sort(candidates.begin(), candidates.end());
        candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    } else {
        candidates.resize(occurrences_[stage].size());
        for (std::uint32_t o = 0; o < candidates.size(); ++o) candidates[o] = o;
    }
    for (const std::uint32_t o : candidates) {
        if (!complete_) return;
        try_with(stage, occurrences_[stage][o]);
    }
    chosen_[stage] = nullptr;
}

void InstanceListing::try_with(StageIndex stage, const Occurrence& occurrence) {
    ++steps_;
    chosen_[stage] = nullptr;
    if (!follows(stage, occurrence)) return;
    chosen_[stage] = &occurrence;
    choose(static_cast<StageIndex>(stage + 1));
    chosen_[stage] = nullptr;
}

bool InstanceListing::follows(StageIndex stage, const Occurrence& occurrence) const {
    Timestamp start = occurrence.start;
    Timestamp end = occurrence.end;
    for (StageIndex s = 0; s < stage; ++s) {
        if (chosen_[s] == nullptr) continue;
        if (chosen_[s]->completing == occurrence.completing) return false;
        start = std::min(start, chosen_[s]->start);
        end = std::max(end, chosen_[s]->end);
    }
    if (end - start > plan_.within || start < start_min_) return false;
    const Occurrence* previous = before(stage);
    if (previous == nullptr) return true;
    const Duration gap = occurrence.start - previous->end;
    if (plan_.pattern->order == Order::sequence && (gap < Duration{0} || (plan_.strict && gap == Duration{0}))) return false;
    const auto& most = plan_.pattern->stages[stage].within;
    return !most || gap <= *most;
}

void InstanceListing::emit() {
    ListedInstance instance{{Timestamp::max(), Timestamp::min()}, false, {}, {}, {}, {}};
    const Occurrence* previous = nullptr;
    std::optional<std::uint32_t> completing;
    for (StageIndex stage = 0; stage < plan_.stages; ++stage) {
        const Occurrence* one = chosen_[stage];
        if (one == nullptr) continue;
        instance.span.start = std::min(instance.span.start, one->start);
        instance.span.end = std::max(instance.span.end, one->end);
        for (std::uint32_t i = one->first; i <= one->last; ++i) {
            ++steps_;
            if (!has_stage(entries_[i].stages, stage) || (one->repeated && !mentions(entries_[i], one->exposed[0]))) continue;
            instance.evidence.push_back({entries_[i].signal, stage_bit(stage)});
            instance.late = instance.late || entries_[i].late;
        }
        // Entries are in canonical order, so that the latest signal is the one with the greatest index.
        const bool later = !completing || plan_.pattern->order == Order::sequence || one->completing > *completing;
        if (later) completing = one->completing;
        if (previous != nullptr && plan_.pattern->link == LinkMode::chain) {
            for (const EntityId entity : one->exposed) {
                if (std::find(previous->exposed.begin(), previous->exposed.end(), entity) == previous->exposed.end()) continue;
                instance.pairs.push_back({entity, entries_[previous->completing].signal, entries_[one->completing].signal});
            }
        }
        previous = one;
    }
    if (!completing || instance.span.end < end_min_) return;
    merge_services(instance.evidence);
    instance.completing.push_back(entries_[*completing].signal);
    if (plan_.pattern->link != LinkMode::chain) instance.principals.push_back(linking_);

    std::vector<SignalHandle> signals;
    for (const FoundEvidence& one : instance.evidence) signals.push_back(one.signal);
    const auto [place, is_new] = found_.try_emplace(Key{instance.span, std::move(signals)}, instance);
    if (is_new) {
        if (found_.size() >= most_instances) complete_ = false;
        return;
    }
    ListedInstance& known = place->second;
    known.evidence.insert(known.evidence.end(), instance.evidence.begin(), instance.evidence.end());
    merge_services(known.evidence);
    known.completing.push_back(instance.completing[0]);
    known.principals.insert(known.principals.end(), instance.principals.begin(), instance.principals.end());
    known.pairs.insert(known.pairs.end(), instance.pairs.begin(), instance.pairs.end());
}

std::vector<ListedInstance> InstanceListing::take() {
    std::vector<ListedInstance> all;
    all.reserve(found_.size());
    for (auto& [key, instance] : found_) all.push_back(std::move(instance));
    return all;
}

}  // namespace catenary::engine
