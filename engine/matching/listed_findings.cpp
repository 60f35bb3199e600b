#include "engine/matching/listed_findings.hpp"

#include "engine/matching/vertex_groups.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

namespace catenary::engine {
namespace {

/// By (start, end, sorted (source, id)).
void sort_canonically(std::vector<const ListedInstance*>& set, const SignalWindow& window) {
    using Names = std::vector<std::pair<std::string_view, std::string_view>>;
    const auto names = [&](const ListedInstance& instance) {
        Names all;
        for (const FoundEvidence& one : instance.evidence) all.emplace_back(window.source(one.signal), window.id(one.signal));
        std::sort(all.begin(), all.end());
        return all;
    };
    std::sort(set.begin(), set.end(), [&](const ListedInstance* left, const ListedInstance* right) {
        return left->span != right->span ? left->span < right->span : names(*left) < names(*right);
    });
}

/// A finding while instances join it.
struct Growing {
    std::vector<const ListedInstance*> members;
    boost::unordered_flat_set<std::uint32_t> signals;
    Timestamp start = Timestamp::max();
    Timestamp end = Timestamp::min();

    bool has_room(const ListedInstance& instance, Duration max_span) const {
        return members.empty() || std::max(end, instance.span.end) - std::min(start, instance.span.start) <= max_span;
    }
    bool shares(const ListedInstance& instance) const {
        return std::any_of(instance.evidence.begin(), instance.evidence.end(), [&](const FoundEvidence& one) { return signals.contains(one.signal.value()); });
    }
    void take(const ListedInstance& instance) {
        members.push_back(&instance);
        start = std::min(start, instance.span.start);
        end = std::max(end, instance.span.end);
        for (const FoundEvidence& one : instance.evidence) signals.insert(one.signal.value());
    }
};

std::vector<Growing> cut(const std::vector<const ListedInstance*>& ordered, Duration max_span) {
    std::vector<Growing> findings;
    for (const ListedInstance* instance : ordered) {
        if (instance->late) continue;
        if (findings.empty() || !findings.back().has_room(*instance, max_span)) findings.emplace_back();
        findings.back().take(*instance);
    }
    for (const ListedInstance* instance : ordered) {
        if (!instance->late) continue;
        auto taking =
            std::find_if(findings.begin(), findings.end(), [&](const Growing& one) { return one.shares(*instance) && one.has_room(*instance, max_span); });
        if (taking == findings.end()) taking = findings.emplace(findings.end());
        taking->take(*instance);
    }
    return findings;
}

/// Of a chain: the entities that link most pairs.
std::vector<EntityId> most_linking(const Growing& finding) {
    std::vector<ListedInstance::Pair> pairs;
    for (const ListedInstance* instance : finding.members) pairs.insert(pairs.end(), instance->pairs.begin(), instance->pairs.end());
    std::sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    std::map<EntityId, std::size_t> linked;
    for (const ListedInstance::Pair& pair : pairs) ++linked[pair.entity];
    std::size_t most = 0;
    for (const auto& [entity, count] : linked) most = std::max(most, count);
    std::vector<EntityId> entities;
    for (const auto& [entity, count] : linked) {
        if (count == most) entities.push_back(entity);
    }
    return entities;
}

/// Each once, the earliest that are told; whether there are more.
bool keep_told(std::vector<LateAnswer>& answers, const SignalWindow& window) {
    std::sort(answers.begin(), answers.end(), [&](const LateAnswer& left, const LateAnswer& right) {
        return left.signal != right.signal ? window.before(left.signal, right.signal) : left.condition < right.condition;
    });
    answers.erase(std::unique(answers.begin(), answers.end()), answers.end());
    const bool more = answers.size() > LateAnswer::most;
    if (more) answers.resize(LateAnswer::most);
    return more;
}

ListedFinding finished(const Growing& finding, const StagePlan& plan, const SignalWindow& window) {
    const ListedInstance& first = *finding.members.front();
    ListedFinding listed{{first.span, first.late, first.completing.front(), {finding.start, finding.end, {}, {}}}, first.decided_at, {}, false};
    CutFinding& cut = listed.cut;
    for (const ListedInstance* instance : finding.members) {
        listed.late_answers.insert(listed.late_answers.end(), instance->late_answers.begin(), instance->late_answers.end());
        if (listed.waiting_until) listed.waiting_until = std::min(listed.waiting_until, instance->decided_at);
        cut.summary.evidence.insert(cut.summary.evidence.end(), instance->evidence.begin(), instance->evidence.end());
        cut.summary.principals.insert(cut.summary.principals.end(), instance->principals.begin(), instance->principals.end());
        if (instance->span != first.span || instance->late != first.late) continue;
        for (const SignalHandle signal : instance->completing) {
            if (window.before(signal, cut.anchor)) cut.anchor = signal;
        }
    }
    merge_services(cut.summary.evidence);
    std::vector<EntityId>& principals = cut.summary.principals;
    if (plan.pattern->link == LinkMode::chain) principals = most_linking(finding);
    if (plan.pattern->link == LinkMode::none) principals.clear();
    std::sort(principals.begin(), principals.end());
    principals.erase(std::unique(principals.begin(), principals.end()), principals.end());
    if (!listed.late_answers.empty()) listed.more_late_answers = keep_told(listed.late_answers, window);
    return listed;
}

}  // namespace

std::vector<std::vector<ListedFinding>> findings_of(std::vector<ListedInstance> instances, const StagePlan& plan, const SignalWindow& window) {
    VertexGroups groups;
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> having;  // by signal: an instance that has it
    for (const ListedInstance& instance : instances) {
        const std::uint32_t number = groups.add();
        for (const FoundEvidence& one : instance.evidence) {
            const auto [place, is_new] = having.try_emplace(one.signal.value(), number);
            if (!is_new) groups.unite(number, place->second);
        }
    }
    std::map<std::uint32_t, std::vector<const ListedInstance*>> sets;
    for (std::uint32_t i = 0; i < instances.size(); ++i) sets[groups.find(i)].push_back(&instances[i]);

    std::vector<std::vector<ListedFinding>> all;
    for (auto& [least, set] : sets) {
        sort_canonically(set, window);
        std::vector<ListedFinding>& findings = all.emplace_back();
        for (const Growing& finding : cut(set, plan.max_span)) findings.push_back(finished(finding, plan, window));
    }
    return all;
}

}  // namespace catenary::engine
