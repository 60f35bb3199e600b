#include "engine/lane/tenant.hpp"

#include <algorithm>
#include <iterator>

namespace catenary::engine {
namespace {

/// Whether the signal names few enough entities of that kind. A signal has at most 32 entities, so counting again is cheaper than a table.
bool is_linkable(const SignalView& signal, const EntityView& entity, std::size_t limit) {
    if (signal.entities.size() <= limit) return true;
    const auto same_kind = std::count_if(signal.entities.begin(), signal.entities.end(), [&](const EntityView& other) { return other.kind == entity.kind; });
    return static_cast<std::size_t>(same_kind) <= limit;
}

void sort_each_once(std::vector<LinkEntity>& links) {
    std::sort(links.begin(), links.end());
    links.erase(std::unique(links.begin(), links.end()), links.end());
}

bool has_kind_of(const std::vector<LinkEntity>& links, const std::vector<Symbol>& kinds) {
    return std::any_of(links.begin(), links.end(), [&](const LinkEntity& link) { return std::binary_search(kinds.begin(), kinds.end(), link.kind); });
}

}  // namespace

void Tenant::apply(Position position, Timestamp admitted, const SignalView& signal) {
    const EntryStamp stamp{position, admitted};
    ++signals_;
    const bool is_late = clock_.is_late(signal.time);
    const bool is_forgotten = clock_.is_behind_horizon(signal.time);
    clock_.saw(signal.time, admitted);
    if (is_late) {
        ++late_;
        late_marks_.push_back({signal.time, std::string{signal.source}, std::string{signal.id}});
    }
    bool is_unlinkable = exceeds_limit(signal, link_rules_.limit(signal.time));
    if (is_forgotten) {
        ++behind_horizon_;
        oldest_behind_horizon_ = std::min(oldest_behind_horizon_.value_or(signal.time), signal.time);
        behind_horizon_marks_.push_back({signal.time, std::string{signal.source}, std::string{signal.id}});
    }

    takers_.clear();
    if (!is_forgotten && stages_->may_want(signal.name)) {
        const DefinitionId definition = dictionary_.definitions.intern(signal, dictionary_.strings);
        bool mentions_read = false;
        for (const DefinitionMatch& candidate : stages_->candidates(definition, signal, dictionary_.definitions)) {
            const StageMask stages = stages_->satisfied(candidate, signal);
            if (stages == 0) continue;
            if (!std::exchange(mentions_read, true)) read_mentions(signal);
            Deployment& deployment = *deployments_[candidate.deployment];
            if (has_links(deployment)) takers_.push_back({&deployment, stages});
            else is_unlinkable = true;
        }
        if (!takers_.empty()) {
            const SignalHandle handle = held_.add(signal, is_late, definition, mentions_.links_and_denied(), mentions_.shown);
            bool has_news = false;
            for (const auto& [deployment, stages] : takers_) {
                give(*deployment, handle, stages, signal);
                const auto deltas = deployment->matcher.take_deltas();
                if (deltas.empty()) continue;
                deployment->activity.found(deltas);
                incidents_.take(deltas, deployment->pattern, deployment->mode);
                has_news = true;
            }
            if (has_news) incidents_.settle(stamp);
        }
    }
    if (is_unlinkable) ++unlinkable_;
    judge_if_due();
    expire_if_due(stamp);
}

bool Tenant::exceeds_limit(const SignalView& signal, std::size_t limit) {
    return signal.entities.size() > limit &&
           std::any_of(signal.entities.begin(), signal.entities.end(), [&](const EntityView& entity) { return !is_linkable(signal, entity, limit); });
}

void Tenant::read_mentions(const SignalView& signal) {
    mentions_.links.clear();
    mentions_.denied.clear();
    mentions_.shown.clear();
    const std::size_t limit = link_rules_.limit(signal.time);
    for (const EntityView& entity : signal.entities) {
        const Symbol kind = dictionary_.strings.intern_frequent(entity.kind);
        const EntityId id = dictionary_.entities.intern(kind, entity.value);
        if (!entity.identifies || !is_linkable(signal, entity, limit)) mentions_.shown.push_back(id);
        else if (link_rules_.rule(id, signal.time) == LinkRule::deny) mentions_.denied.push_back({id, kind});
        else mentions_.links.push_back({id, kind});
    }
    sort_each_once(mentions_.links);
    if (mentions_.denied.empty()) return;
    sort_each_once(mentions_.denied);
    mentions_.merged.clear();
    std::merge(mentions_.links.begin(), mentions_.links.end(), mentions_.denied.begin(), mentions_.denied.end(), std::back_inserter(mentions_.merged));
}

bool Tenant::has_links(const Deployment& deployment) const {
    if (deployment.pattern->link == LinkMode::none && deployment.link_kinds.empty()) return true;
    return has_kind_of(mentions_.links, deployment.link_kinds) || has_kind_of(mentions_.denied, deployment.grouped_kinds);
}

void Tenant::give(Deployment& deployment, SignalHandle handle, StageMask stages, const SignalView& signal) {
    links_.clear();
    for (const LinkEntity& link : mentions_.links) {
        if (std::binary_search(deployment.link_kinds.begin(), deployment.link_kinds.end(), link.kind)) links_.push_back(link.entity);
    }
    for (const LinkEntity& link : mentions_.denied) {
        if (std::binary_search(deployment.grouped_kinds.begin(), deployment.grouped_kinds.end(), link.kind)) links_.push_back(link.entity);
    }
    if (!mentions_.denied.empty()) std::sort(links_.begin(), links_.end());
    const auto& declared = deployment.pattern->stages;
    distinct_.resize(declared.size());
    for (std::size_t i = 0; i < declared.size(); ++i) {
        distinct_[i].clear();
        if ((stages >> i & 1U) != 0 && declared[i].repeat && declared[i].repeat->distinct) distinct_[i] = field_values(*declared[i].repeat->distinct, signal);
    }
    held_.take(handle);
    deployment.matcher.add(handle, stages, links_, distinct_);
    deployment.activity.saw(signal.time);
    next_judgement_at_most(deployment.matcher.next_judgement());
}

}  // namespace catenary::engine
