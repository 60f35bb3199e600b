#include "engine/matching/met_condition.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace catenary::engine {
namespace {

struct Listed {
    std::vector<ListedInstance> instances;
    WatchedConditions watched;
};

/// Whom the instances may be linked by; empty where it does not matter.
std::set<EntityId> linking(const std::vector<ListedInstance>& instances) {
    std::set<EntityId> entities;
    for (const ListedInstance& instance : instances) {
        entities.insert(instance.principals.begin(), instance.principals.end());
        for (const ListedInstance::Pair& pair : instance.pairs) entities.insert(pair.entity);
    }
    return entities;
}

}  // namespace

std::optional<MetCondition> met_condition(std::span<const ListedEntry> entries, std::span<const UnwantedSignal> unwanted, const StagePlan& plan,
                                          const SignalWindow& window, const DistinctValues& values) {
    const auto all = static_cast<StageMask>((1U << plan.pattern->absent.size()) - 1U);
    std::vector<ListedEntry> completing{entries.begin(), entries.end()};
    for (ListedEntry& entry : completing) entry.completes = entry.stages;
    const auto listed = [&](StageMask judged) {
        AbsenceSignals absences;
        for (const UnwantedSignal& one : unwanted) {
            const auto conditions = static_cast<StageMask>(one.conditions & judged);
            if (conditions != 0) absences.add(one.signal, conditions, one.mentions, window[one.signal]);
        }
        // By then everything is judged.
        InstanceListing listing{completing, {plan, window, values, absences, Timestamp::max()}, Timestamp::min(), Timestamp::min()};
        return Listed{listing.take(), listing.watched()};
    };
    if (all == 0 || !listed(all).instances.empty()) return std::nullopt;
    const auto told = [&](std::size_t condition, const Listed& without) {
        const auto entities = linking(without.instances);
        MetCondition met{condition, std::nullopt};
        for (const UnwantedSignal& one : unwanted) {
            if (!has_stage(one.conditions, static_cast<StageIndex>(condition)) || !without.watched[condition].contains(window[one.signal].time)) continue;
            const bool names_one = entities.empty() || std::ranges::any_of(one.mentions, [&](EntityId entity) { return entities.contains(entity); });
            if (names_one && !window[one.signal].late && (!met.first || window.before(one.signal, *met.first))) met.first = one.signal;
        }
        return met;
    };
    for (std::size_t condition = 0; condition < plan.pattern->absent.size(); ++condition) {
        const auto without = listed(static_cast<StageMask>(all & ~(1U << condition)));
        if (!without.instances.empty()) return told(condition, without);
    }
    const auto without_any = listed(0);
    if (without_any.instances.empty()) return std::nullopt;
    // Several keep it from being found, each by itself: the first that something came for.
    for (std::size_t condition = 0; condition < plan.pattern->absent.size(); ++condition) {
        if (auto met = told(condition, without_any); met.first) return met;
    }
    return std::nullopt;
}

}  // namespace catenary::engine
