#include "tests/oracle/oracle.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <numeric>
#include <optional>
#include <tuple>

namespace catenary::oracle {
namespace {

using engine::Timestamp;
using SignalSet = std::uint64_t;                                   ///< bit i: signal i
using Pair = std::tuple<std::uint32_t, std::size_t, std::size_t>;  ///< an entity, and the completing signals of two stages after each other that it links

SignalSet bits_of(const std::set<std::size_t>& indices) {
    SignalSet set = 0;
    for (const auto index : indices) set |= SignalSet{1} << index;
    return set;
}

template <class Visit>
void each(SignalSet set, Visit visit) {
    for (; set != 0; set &= set - 1) visit(static_cast<std::size_t>(std::countr_zero(set)));
}

/// The instances of one (start, end, signals): what tells them apart never parts them, so they are kept together.
struct Instance {
    Timestamp start;
    Timestamp end;
    SignalSet signals = 0;
    std::vector<SignalSet> served;  ///< by stage: evidence of its occurrences
    SignalSet last_completing = 0;  ///< completing signals of their last chosen stages
    std::set<std::uint32_t> links;  ///< `same`
    std::set<Pair> pairs;           ///< `chain`
    std::optional<Timestamp> waiting_until{};
    std::set<LateAnswer> late_answers{};
};

class Enumeration {
public:
    Enumeration(const engine::Pattern& pattern, Timestamp effective_from, const std::vector<Signal>& signals, Timestamp watermark)
        : pattern_{pattern}, effective_from_{effective_from}, signals_{signals}, watermark_{watermark}, chosen_(pattern.stages.size()) {
        for (std::size_t stage = 0; stage < pattern.stages.size(); ++stage) occurrences_.push_back(occurrences(pattern, stage, signals));
    }

    void run() { choose(0); }
    std::vector<Instance> holding() const {
        std::vector<Instance> all;
        for (const auto& [key, instance] : instances_) all.push_back(instance);
        return all;
    }
    /// Those that hold unless something still comes; what holds already does not wait.
    std::vector<Instance> waiting() const {
        std::vector<Instance> all;
        for (const auto& [key, instance] : waiting_) {
            if (!instances_.contains(key)) all.push_back(instance);
        }
        return all;
    }

private:
    /// Tries every occurrence for stage `stage`, and none where it is optional; then goes on to the next stage.
    void choose(std::size_t stage) {
        if (stage == chosen_.size()) return consider();
        for (const auto& occurrence : occurrences_[stage]) {
            chosen_[stage] = &occurrence;
            if (follows_the_one_before(stage)) choose(stage + 1);
        }
        chosen_[stage] = nullptr;
        if (pattern_.stages[stage].optional) choose(stage + 1);
    }

    bool follows_the_one_before(std::size_t stage) const {
        const Occurrence* before = nullptr;
        for (std::size_t earlier = 0; earlier < stage; ++earlier) {
            if (chosen_[earlier] != nullptr) before = chosen_[earlier];
        }
        if (before == nullptr) return true;
        const auto gap = chosen_[stage]->start - before->end;
        if (pattern_.order == engine::Order::sequence && (gap < engine::Duration{0} || (pattern_.strict && gap == engine::Duration{0}))) return false;
        return !pattern_.stages[stage].within || gap <= *pattern_.stages[stage].within;
    }

    void consider() {
        Instance instance{Timestamp::max(), Timestamp::min(), 0, std::vector<SignalSet>(chosen_.size()), 0, {}, {}, {}, {}};
        SignalSet completing = 0;
        std::optional<std::set<std::uint32_t>> common;
        const Occurrence* last = nullptr;
        for (std::size_t stage = 0; stage < chosen_.size(); ++stage) {
            const Occurrence* occurrence = chosen_[stage];
            if (occurrence == nullptr) continue;
            const auto completes = SignalSet{1} << occurrence->completing;
            if ((completing & completes) != 0) return;  // the completing signals are distinct
            completing |= completes;
            instance.start = std::min(instance.start, occurrence->start);
            instance.end = std::max(instance.end, occurrence->end);
            instance.served[stage] = bits_of(occurrence->evidence);
            instance.signals |= instance.served[stage];
            if (!common) common = occurrence->exposed;
            std::erase_if(*common, [&](std::uint32_t entity) { return !occurrence->exposed.contains(entity); });
            last = occurrence;
        }
        if (instance.end - instance.start > pattern_.within || instance.end <= effective_from_) return;
        std::vector<Pair> pairs;
        switch (pattern_.link) {
            case engine::LinkMode::none:
                if (!survives(std::nullopt, 0, chosen_.size(), instance)) return;
                break;
            case engine::LinkMode::same:
                std::erase_if(*common, [&](std::uint32_t entity) { return !survives(entity, 0, chosen_.size(), instance); });
                if (common->empty()) return;
                break;
            case engine::LinkMode::chain:
                if (!linked_in_pairs(pairs, instance)) return;
                break;
        }
        for (const auto& absence : pattern_.absent) {
            if (!is_judged(absence)) continue;
            const auto decided = decided_at(absence);
            if (decided > watermark_) instance.waiting_until = std::max(instance.waiting_until.value_or(decided), decided);
        }

        auto& all = instance.waiting_until ? waiting_ : instances_;
        auto& kept = all.try_emplace({instance.start, instance.end, instance.signals}, instance).first->second;
        kept.waiting_until = std::min(kept.waiting_until, instance.waiting_until);
        kept.late_answers.insert(instance.late_answers.begin(), instance.late_answers.end());
        for (std::size_t stage = 0; stage < chosen_.size(); ++stage) kept.served[stage] |= instance.served[stage];
        kept.last_completing |= SignalSet{1} << (pattern_.order == engine::Order::sequence ? last->completing : latest(completing));
        if (pattern_.link == engine::LinkMode::same) kept.links.insert(common->begin(), common->end());
        kept.pairs.insert(pairs.begin(), pairs.end());
    }

    /// Whether every two chosen stages after each other expose a common entity by which nothing unwanted came; adds all that do.
    bool linked_in_pairs(std::vector<Pair>& pairs, Instance& instance) const {
        std::optional<std::size_t> before;
        std::size_t chosen = 0;
        for (std::size_t stage = 0; stage < chosen_.size(); ++stage) {
            const Occurrence* one = chosen_[stage];
            if (one == nullptr) continue;
            ++chosen;
            if (one->exposed.empty()) return false;  // without a linking entity a signal takes no part
            if (before) {
                const auto known = pairs.size();
                for (const auto entity : one->exposed) {
                    const Occurrence& other = *chosen_[*before];
                    if (other.exposed.contains(entity) && survives(entity, *before, stage, instance))
                        pairs.emplace_back(entity, other.completing, one->completing);
                }
                if (pairs.size() == known) return false;
            }
            before = stage;
        }
        if (chosen > 1) return true;
        bool some = false;
        for (const auto entity : chosen_[*before]->exposed) some = survives(entity, *before, *before, instance) || some;
        return some;
    }

    bool is_judged(const engine::Absence& absence) const {
        return chosen_[absence.stage] != nullptr && (absence.where != engine::Absence::Where::between || chosen_[absence.until] != nullptr);
    }

    bool forbids(const engine::Absence& absence, Timestamp time) const {
        const Occurrence& stage = *chosen_[absence.stage];
        switch (absence.where) {
            case engine::Absence::Where::between: return time > stage.end && time < chosen_[absence.until]->start;
            case engine::Absence::Where::after: return time > stage.end && time - stage.end <= absence.within;
            case engine::Absence::Where::before: return time < stage.start && stage.start - time <= absence.within;
        }
        return false;
    }

    /// The watermark from which on whatever comes at a forbidden time is late.
    Timestamp decided_at(const engine::Absence& absence) const {
        switch (absence.where) {
            case engine::Absence::Where::between: return chosen_[absence.until]->start;
            case engine::Absence::Where::after: return chosen_[absence.stage]->end + absence.within + engine::Duration{1};
            case engine::Absence::Where::before: return chosen_[absence.stage]->start;
        }
        return Timestamp::max();
    }

    /// Whether no condition is met by a signal that mentions the entity, picked to link stage `from` to stage `to` (all stages: 0 to their number); whatever
    /// came too late to meet one is noted. Without an entity every signal counts.
    bool survives(std::optional<std::uint32_t> entity, std::size_t from, std::size_t to, Instance& instance) const {
        std::set<LateAnswer> late;
        for (std::size_t condition = 0; condition < pattern_.absent.size(); ++condition) {
            const auto& absence = pattern_.absent[condition];
            const bool is_between = absence.where == engine::Absence::Where::between;
            const bool is_of_pair = is_between ? absence.stage == from && absence.until == to : absence.stage == from || absence.stage == to;
            if (!is_judged(absence) || (to < chosen_.size() && !is_of_pair)) continue;
            for (const auto& signal : signals_) {
                const bool mentions = !entity || signal.also_named.contains(*entity) ||
                                      std::any_of(signal.entities.begin(), signal.entities.end(), [&](const Entity& it) { return it.number == *entity; });
                if ((signal.unwanted >> condition & 1u) == 0 || !mentions || !forbids(absence, signal.ref.time)) continue;
                if (!signal.late) return false;
                late.emplace(signal.ref, condition);
            }
        }
        instance.late_answers.merge(late);
        return true;
    }

    std::size_t latest(SignalSet set) const {
        std::optional<std::size_t> best;
        each(set, [&](std::size_t index) {
            if (!best || signals_[*best].ref < signals_[index].ref) best = index;
        });
        return best.value();
    }

    const engine::Pattern& pattern_;
    const Timestamp effective_from_;
    const std::vector<Signal>& signals_;
    const Timestamp watermark_;
    std::vector<std::vector<Occurrence>> occurrences_;
    std::vector<const Occurrence*> chosen_;  ///< by stage; null: left empty
    std::map<std::tuple<Timestamp, Timestamp, SignalSet>, Instance> instances_;
    std::map<std::tuple<Timestamp, Timestamp, SignalSet>, Instance> waiting_;
};

/// Groups the indices of instances that hang together through shared signals.
std::vector<std::vector<std::size_t>> connected_sets(const std::vector<Instance>& instances) {
    std::vector<std::pair<SignalSet, std::vector<std::size_t>>> sets;
    for (std::size_t index = 0; index < instances.size(); ++index) {
        std::pair<SignalSet, std::vector<std::size_t>> joined{instances[index].signals, {index}};
        std::erase_if(sets, [&](const auto& set) {
            if ((set.first & instances[index].signals) == 0) return false;
            joined.first |= set.first;
            joined.second.insert(joined.second.end(), set.second.begin(), set.second.end());
            return true;
        });
        sets.push_back(std::move(joined));
    }
    std::vector<std::vector<std::size_t>> members;
    for (auto& set : sets) members.push_back(std::move(set.second));
    return members;
}

/// By (start, end, sorted (source, id) of the signals).
std::vector<const Instance*> in_order(const std::vector<std::size_t>& set, const std::vector<Instance>& instances, const std::vector<Signal>& signals) {
    using Names = std::set<std::pair<std::string, std::string>>;
    std::vector<std::tuple<Timestamp, Timestamp, Names, const Instance*>> keyed;
    for (const auto index : set) {
        Names names;
        each(instances[index].signals, [&](std::size_t member) { names.emplace(signals[member].ref.source, signals[member].ref.id); });
        keyed.emplace_back(instances[index].start, instances[index].end, std::move(names), &instances[index]);
    }
    std::sort(keyed.begin(), keyed.end());  // names differ where the times do not: instances are kept apart by their signals
    std::vector<const Instance*> ordered;
    for (const auto& entry : keyed) ordered.push_back(std::get<const Instance*>(entry));
    return ordered;
}

/// Instances that make one finding, the one that opened it first.
struct Group {
    std::vector<const Instance*> members;
    SignalSet signals = 0;
    Timestamp start = Timestamp::max();
    Timestamp end = Timestamp::min();

    bool has_room(const Instance& instance, engine::Duration max_span) const {
        return members.empty() || std::max(end, instance.end) - std::min(start, instance.start) <= max_span;
    }
    void take(const Instance& instance) {
        members.push_back(&instance);
        signals |= instance.signals;
        start = std::min(start, instance.start);
        end = std::max(end, instance.end);
    }
};

std::vector<Group> cut(const std::vector<const Instance*>& ordered, SignalSet late, engine::Duration max_span) {
    std::vector<Group> groups;
    for (const auto* instance : ordered) {
        if ((instance->signals & late) != 0) continue;
        if (groups.empty() || !groups.back().has_room(*instance, max_span)) groups.emplace_back();
        groups.back().take(*instance);
    }
    for (const auto* instance : ordered) {
        if ((instance->signals & late) == 0) continue;
        auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& candidate) {
            return (candidate.signals & instance->signals) != 0 && candidate.has_room(*instance, max_span);
        });
        if (group == groups.end()) group = groups.emplace(groups.end());
        group->take(*instance);
    }
    return groups;
}

Finding finding_of(const Group& group, const std::vector<Signal>& signals, SignalSet late) {
    Finding finding;
    finding.start = group.start;
    finding.end = group.end;
    const Instance& first = *group.members.front();
    finding.opened_late = (first.signals & late) != 0;
    finding.waiting_until = first.waiting_until;
    std::optional<engine::SignalRef> anchor;
    std::set<Pair> pairs;
    for (const auto* instance : group.members) {
        finding.principals.insert(instance->links.begin(), instance->links.end());
        pairs.insert(instance->pairs.begin(), instance->pairs.end());
        finding.waiting_until = std::min(finding.waiting_until, instance->waiting_until);
        finding.late_answers.insert(instance->late_answers.begin(), instance->late_answers.end());
        for (std::size_t stage = 0; stage < instance->served.size(); ++stage) {
            each(instance->served[stage], [&](std::size_t index) {
                const auto known = finding.evidence.emplace(signals[index].ref, stage).first;
                known->second = std::min(known->second, stage);
            });
        }
        const bool is_as_first = instance->start == first.start && instance->end == first.end && ((instance->signals & late) != 0) == finding.opened_late;
        if (!is_as_first) continue;
        each(instance->last_completing, [&](std::size_t index) {
            if (!anchor || signals[index].ref < *anchor) anchor = signals[index].ref;
        });
    }
    finding.anchor = anchor.value();
    finding.more_late_answers = finding.late_answers.size() > 16;
    while (finding.late_answers.size() > 16) finding.late_answers.erase(std::prev(finding.late_answers.end()));
    std::map<std::uint32_t, std::size_t> linked;
    for (const auto& pair : pairs) ++linked[std::get<0>(pair)];
    std::size_t most = 0;
    for (const auto& [entity, count] : linked) most = std::max(most, count);
    for (const auto& [entity, count] : linked) {
        if (count == most) finding.principals.insert(entity);
    }
    return finding;
}

}  // namespace

std::vector<Finding> findings(const engine::Pattern& pattern, Timestamp effective_from, const std::vector<Signal>& signals, Timestamp watermark) {
    Enumeration enumeration{pattern, effective_from, signals, watermark};
    enumeration.run();
    SignalSet late = 0;
    for (std::size_t index = 0; index < signals.size(); ++index) late |= SignalSet{signals[index].late} << index;

    std::vector<Finding> found;
    for (const auto& instances : {enumeration.holding(), enumeration.waiting()}) {
        for (const auto& set : connected_sets(instances)) {
            const auto ordered = in_order(set, instances, signals);
            for (const auto& group : cut(ordered, late, pattern.max_span)) {
                std::set<std::string> domains;
                each(group.signals, [&](std::size_t index) { domains.insert(signals[index].domain); });
                if (static_cast<int>(domains.size()) >= pattern.required_domains.value_or(0)) found.push_back(finding_of(group, signals, late));
            }
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace catenary::oracle
