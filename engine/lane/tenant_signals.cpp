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

/// Who wants the signal, with the stages and conditions that it satisfies: `takers_`. What it names is read for them. Whether some stage wants it that it
/// cannot be linked to.
bool Tenant::find_takers(const SignalView& signal, DefinitionId definition) {
    bool is_unlinkable = false;
    bool mentions_read = false;
    for (const DefinitionMatch& candidate : stages_->candidates(definition, signal, dictionary_.definitions)) {
        StageMask stages = stages_->satisfied(candidate, signal);
        if (stages == 0) continue;
        if (!std::exchange(mentions_read, true)) read_mentions(signal);
        Deployment& deployment = *deployments_[candidate.deployment];
        if (!has_links(deployment)) {
            is_unlinkable = is_unlinkable || (stages & stage_bits) != 0;
            stages &= absence_bits;
        }
        if ((stages & absence_bits) != 0 && !mentions_linking_kind(deployment)) stages &= stage_bits;
        if (stages != 0) takers_.push_back({&deployment, stages});
    }
    return is_unlinkable;
}

void Tenant::apply(Position position, Timestamp admitted, const SignalView& signal) {
    const EntryStamp stamp{position, admitted};
    stamp_ = stamp;
    ++signals_;
    if (static_cast<std::int64_t>(held_.window().size()) >= window_signals_) make_room(stamp);
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
    }

    bool has_news = false;
    takers_.clear();
    if (stages_->may_want(signal.name)) {
        const DefinitionId definition = dictionary_.definitions.intern(signal, dictionary_.strings);
        is_unlinkable = find_takers(signal, definition) || is_unlinkable;
        const bool is_full = static_cast<std::int64_t>(held_.window().size()) >= window_signals_;
        const bool is_taken = !is_forgotten && !is_full;
        left_out_.clear();
        std::erase_if(takers_, [&](const Taker& taker) {
            if (is_taken && has_room(*taker.deployment, signal.time)) return false;
            left_out_.push_back(taker);
            return true;
        });
        if (!left_out_.empty() && !is_forgotten) ++turned_away_;
        if (!left_out_.empty()) want_rematch(signal, left_out_);
        if (!takers_.empty()) {
            const SignalHandle handle = held_.add(signal, is_late, definition, mentions_.links_and_denied(), mentions_.shown);
            for (const auto& [deployment, stages] : takers_) {
                give(*deployment, handle, stages, signal);
                if (deployment->rematches && deployment->rematches->may_be_near(signal.time)) want_rematch_near(*deployment, signal, stages);
                has_news = take_from(*deployment) || has_news;
            }
        }
    }
    has_news = judge_absence() || has_news;
    if (has_news) incidents_.settle(stamp);
    if (is_unlinkable) ++unlinkable_;
    end_entry(stamp);
}

/// What a matcher has to tell, if anything.
bool Tenant::take_from(Deployment& deployment, Incidents::FoundAmong among) {
    auto deltas = deployment.matcher.take_deltas();
    if (const auto decision = deployment.matcher.decides_at()) next_decision_ = std::min(next_decision_, *decision);
    if (!deltas.empty() && deployment.rematches && deployment.rematches->keeps_any()) divert(deployment, deltas);
    if (deltas.empty()) return false;
    deployment.activity.found(deltas);
    incidents_.take(deltas, deployment.pattern, deployment.mode, among);
    return true;
}

/// Whether the watermark has come to where something is decided, and it changes anything.
bool Tenant::judge_absence() {
    if (!clock_.watermark() || *clock_.watermark() < next_decision_) return false;
    next_decision_ = Timestamp::max();
    bool has_news = false;
    for (const auto& deployment : deployments_) {
        const auto decision = deployment->matcher.decides_at();
        if (!decision) continue;
        if (*decision > *clock_.watermark()) {
            next_decision_ = std::min(next_decision_, *decision);
            continue;
        }
        deployment->matcher.move_watermark(*clock_.watermark());
        has_news = take_from(*deployment) || has_news;
    }
    return has_news;
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

/// Whether the signal can meet a condition of the pattern: it must name an entity of a kind that links, though it need not be one it may link by itself.
bool Tenant::mentions_linking_kind(const Deployment& deployment) const {
    const auto& kinds = deployment.link_kinds;
    if (kinds.empty() || has_kind_of(mentions_.links, kinds) || has_kind_of(mentions_.denied, kinds)) return true;
    return std::any_of(mentions_.shown.begin(), mentions_.shown.end(),
                       [&](EntityId entity) { return std::binary_search(kinds.begin(), kinds.end(), dictionary_.entities[entity].kind); });
}

void Tenant::read_unwanted_mentions(const Deployment& deployment) {
    const auto& kinds = deployment.link_kinds;
    const auto is_meant = [&](Symbol kind) { return std::binary_search(kinds.begin(), kinds.end(), kind); };
    unwanted_mentions_.clear();
    for (const auto* links : {&mentions_.links, &mentions_.denied}) {
        for (const LinkEntity& link : *links) {
            if (is_meant(link.kind)) unwanted_mentions_.push_back(link.entity);
        }
    }
    for (const EntityId entity : mentions_.shown) {
        if (is_meant(dictionary_.entities[entity].kind)) unwanted_mentions_.push_back(entity);
    }
    std::sort(unwanted_mentions_.begin(), unwanted_mentions_.end());
    unwanted_mentions_.erase(std::unique(unwanted_mentions_.begin(), unwanted_mentions_.end()), unwanted_mentions_.end());
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
    ++deployment.held;
    if (deployment.pattern->absent.empty()) {
        deployment.matcher.add(handle, stages, links_, distinct_);
    } else {
        unwanted_mentions_.clear();
        if ((stages & absence_bits) != 0) read_unwanted_mentions(deployment);
        if (clock_.watermark()) deployment.matcher.move_watermark(*clock_.watermark());
        deployment.matcher.add(handle, stages, links_, distinct_, unwanted_mentions_);
    }
    if ((stages & stage_bits) != 0) deployment.activity.saw(signal.time);
    next_judgement_at_most(deployment.matcher.next_judgement());
}

}  // namespace catenary::engine
