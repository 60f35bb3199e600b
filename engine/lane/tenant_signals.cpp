#include "engine/lane/tenant.hpp"

#include <algorithm>

namespace catenary::engine {

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
    bool is_unlinkable = signal.entities.size() > unlinkable_limit_ && exceeds_unlinkable_limit(signal);
    if (is_forgotten) ++behind_horizon_;

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
            const SignalHandle handle = held_.add(signal, position, is_late, definition, mentions_.links, mentions_.shown);
            bool has_news = false;
            for (const auto& [deployment, stages] : takers_) {
                give(*deployment, handle, stages, signal);
                const auto deltas = deployment->matcher.take_deltas();
                if (deltas.empty()) continue;
                incidents_.take(deltas, deployment->pattern, deployment->mode);
                has_news = true;
            }
            if (has_news) incidents_.settle(stamp);
        }
    }
    if (is_unlinkable) ++unlinkable_;
    expire_if_due(stamp);
}

bool Tenant::exceeds_unlinkable_limit(const SignalView& signal) const {
    return std::any_of(signal.entities.begin(), signal.entities.end(), [&](const EntityView& entity) { return !is_linkable(signal, entity); });
}

/// Whether the signal names few enough entities of that kind. A signal has at most 32 entities, so counting again is cheaper than a table.
bool Tenant::is_linkable(const SignalView& signal, const EntityView& entity) const {
    if (signal.entities.size() <= unlinkable_limit_) return true;
    const auto same_kind = std::count_if(signal.entities.begin(), signal.entities.end(), [&](const EntityView& other) { return other.kind == entity.kind; });
    return static_cast<std::size_t>(same_kind) <= unlinkable_limit_;
}

void Tenant::read_mentions(const SignalView& signal) {
    mentions_.links.clear();
    mentions_.shown.clear();
    for (const EntityView& entity : signal.entities) {
        const Symbol kind = dictionary_.strings.intern(entity.kind);
        const EntityId id = dictionary_.entities.intern(kind, entity.value);
        if (entity.identifies && is_linkable(signal, entity)) mentions_.links.push_back({id, kind});
        else mentions_.shown.push_back(id);
    }
    std::sort(mentions_.links.begin(), mentions_.links.end());
    mentions_.links.erase(std::unique(mentions_.links.begin(), mentions_.links.end()), mentions_.links.end());
}

bool Tenant::has_links(const Deployment& deployment) const {
    if (deployment.pattern->link == LinkMode::none && deployment.link_kinds.empty()) return true;
    return std::any_of(mentions_.links.begin(), mentions_.links.end(),
                       [&](const LinkEntity& link) { return std::binary_search(deployment.link_kinds.begin(), deployment.link_kinds.end(), link.kind); });
}

void Tenant::give(Deployment& deployment, SignalHandle handle, StageMask stages, const SignalView& signal) {
    links_.clear();
    for (const LinkEntity& link : mentions_.links) {
        if (std::binary_search(deployment.link_kinds.begin(), deployment.link_kinds.end(), link.kind)) links_.push_back(link.entity);
    }
    const auto& declared = deployment.pattern->stages;
    distinct_.resize(declared.size());
    for (std::size_t i = 0; i < declared.size(); ++i) {
        distinct_[i].clear();
        if ((stages >> i & 1U) != 0 && declared[i].repeat && declared[i].repeat->distinct) distinct_[i] = field_values(*declared[i].repeat->distinct, signal);
    }
    held_.take(handle);
    deployment.matcher.add(handle, stages, links_, distinct_);
}

}  // namespace catenary::engine
