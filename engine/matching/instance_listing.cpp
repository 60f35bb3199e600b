#include "engine/matching/instance_listing.hpp"

#include "engine/matching/tightest_suffix.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

namespace catenary::engine {

void WatchedTimes::widen(const AbsenceInterval& interval) {
    if (interval.first > interval.last) return;
    first = std::min(first, interval.first);
    last = std::max(last, interval.last);
}

InstanceListing::InstanceListing(std::span<const ListedEntry> entries, const Material& material, Timestamp start_min, Timestamp end_min)
    : entries_{entries},
      plan_{material.plan},
      window_{material.window},
      values_{material.values},
      absences_{material.absences},
      watermark_{material.watermark},
      start_min_{start_min},
      end_min_{end_min},
      watched_(material.plan.pattern->absent.size()) {
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
            if (!has_stage(entries_[i].completes, stage)) continue;
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
                if (!has_stage(entries_[place[i]].completes, stage)) continue;
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
    ListedInstance instance{{Timestamp::max(), Timestamp::min()}, false, {}, {}, {}, {}, {}, {}};
    if (!plan_.pattern->absent.empty()) judge_conditions();
    std::optional<StageIndex> previous;
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
        if (previous && plan_.pattern->link == LinkMode::chain && !link_pair(*previous, stage, instance)) return;
        previous = stage;
    }
    if (!completing || instance.span.end < end_min_) return;
    if (plan_.pattern->link != LinkMode::chain) {
        if (!judged_.empty() && !pick(linking_, nullptr, instance)) return;
        instance.principals.push_back(linking_);
    } else if (instance.pairs.empty() && !judged_.empty() && !pick_alone(*previous, instance)) {
        return;
    }
    merge_services(instance.evidence);
    instance.completing.push_back(entries_[*completing].signal);
    keep(std::move(instance));
}

/// Whether the two stages, chosen one after the other, have a link by which no condition is met; all such links are noted.
bool InstanceListing::link_pair(StageIndex before, StageIndex after, ListedInstance& instance) const {
    const auto& exposed = chosen_[before]->exposed;
    const std::size_t known = instance.pairs.size();
    const StagePair pair{before, after};
    for (const EntityId entity : chosen_[after]->exposed) {
        if (std::find(exposed.begin(), exposed.end(), entity) == exposed.end()) continue;
        if (!judged_.empty() && !pick(entity, &pair, instance)) continue;
        instance.pairs.push_back({entity, entries_[chosen_[before]->completing].signal, entries_[chosen_[after]->completing].signal});
    }
    return instance.pairs.size() > known;
}

/// Of a chain with a single stage chosen: nothing is linked, and the entity picked is one that the stage exposes.
bool InstanceListing::pick_alone(StageIndex stage, ListedInstance& instance) const {
    bool survives = false;
    const StagePair pair{stage, stage};
    for (const EntityId entity : chosen_[stage]->exposed) survives = pick(entity, &pair, instance) || survives;
    return survives;
}

void InstanceListing::judge_conditions() {
    judged_.clear();
    constexpr Duration instant{1};
    const auto& absent = plan_.pattern->absent;
    for (std::size_t condition = 0; condition < absent.size(); ++condition) {
        const Absence& absence = absent[condition];
        const Occurrence* one = chosen_[absence.stage];
        if (one == nullptr) continue;
        Judged judged{condition, {}, static_cast<StageIndex>(absence.stage), std::nullopt};
        switch (absence.where) {
            case Absence::Where::between:
                if (chosen_[absence.until] == nullptr) continue;
                judged.interval = {one->end + instant, chosen_[absence.until]->start - instant};
                judged.until = static_cast<StageIndex>(absence.until);
                break;
            case Absence::Where::after: judged.interval = {one->end + instant, one->end + absence.within}; break;
            case Absence::Where::before: judged.interval = {one->start - absence.within, one->start - instant}; break;
        }
        judged_.push_back(judged);
    }
}

/// Whether no condition is met by a signal that mentions the entity, picked for that pair of stages, or for all where there is none. Signals that came too
/// late to meet one are noted.
bool InstanceListing::pick(EntityId entity, const StagePair* pair, ListedInstance& instance) const {
    const auto concerns = [&](const Judged& judged) {
        if (pair == nullptr) return true;
        if (judged.until) return judged.stage == pair->first && *judged.until == pair->second;
        return judged.stage == pair->first || judged.stage == pair->second;
    };
    for (const Judged& judged : judged_) {
        if (concerns(judged) && absences_.is_met(entity, judged.condition, judged.interval)) return false;
    }
    std::vector<SignalHandle> late;
    for (const Judged& judged : judged_) {
        if (!concerns(judged)) continue;
        late.clear();
        absences_.late_ones(entity, judged.condition, judged.interval, LateAnswer::most + 1, late);
        for (const SignalHandle signal : late) instance.late_answers.push_back({signal, static_cast<std::uint8_t>(judged.condition)});
    }
    return true;
}

void InstanceListing::keep(ListedInstance instance) {
    std::optional<Timestamp> decided_at;
    for (const Judged& judged : judged_) {
        decided_at = std::max(decided_at.value_or(Timestamp::min()), judged.interval.last + Duration{1});
        watched_[judged.condition].widen(judged.interval);
    }
    steps_ += judged_.size();
    if (decided_at && *decided_at > watermark_) {
        instance.decided_at = decided_at;
        decides_at_ = std::min(*decided_at, decides_at_.value_or(Timestamp::max()));
    }

    std::vector<SignalHandle> signals;
    for (const FoundEvidence& one : instance.evidence) signals.push_back(one.signal);
    Found& found = instance.decided_at ? waiting_ : found_;
    const auto [place, is_new] = found.try_emplace(Key{instance.span, std::move(signals)}, instance);
    if (is_new) {
        if (found_.size() + waiting_.size() >= most_instances) complete_ = false;
        return;
    }
    ListedInstance& known = place->second;
    known.evidence.insert(known.evidence.end(), instance.evidence.begin(), instance.evidence.end());
    merge_services(known.evidence);
    known.completing.push_back(instance.completing[0]);
    known.principals.insert(known.principals.end(), instance.principals.begin(), instance.principals.end());
    known.pairs.insert(known.pairs.end(), instance.pairs.begin(), instance.pairs.end());
    known.late_answers.insert(known.late_answers.end(), instance.late_answers.begin(), instance.late_answers.end());
    if (known.decided_at) known.decided_at = std::min(known.decided_at, instance.decided_at);
}

std::vector<ListedInstance> InstanceListing::take() {
    std::vector<ListedInstance> all;
    all.reserve(found_.size());
    for (auto& [key, instance] : found_) all.push_back(std::move(instance));
    return all;
}

std::vector<ListedInstance> InstanceListing::take_waiting() {
    std::vector<ListedInstance> all;
    for (auto& [key, instance] : waiting_) {
        if (!found_.contains(key)) all.push_back(std::move(instance));
    }
    return all;
}

}  // namespace catenary::engine
