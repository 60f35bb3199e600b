#include "engine/lane/tenant.hpp"

#include <algorithm>
#include <string>
#include <utility>

// Which signals are matched again with what the store has of their time, and what waits for it.

namespace catenary::engine {

std::vector<EntityKey> Tenant::link_keys(const Deployment& deployment, bool with_shown) const {
    std::vector<EntityKey> keys;
    const auto add = [&](EntityId entity) {
        const bool is_of_kind = std::binary_search(deployment.link_kinds.begin(), deployment.link_kinds.end(), dictionary_.entities[entity].kind);
        if (is_of_kind) keys.push_back(key_of(entity));
    };
    for (const LinkEntity& link : mentions_.links) add(link.entity);
    for (const LinkEntity& link : mentions_.denied) add(link.entity);
    if (with_shown) std::for_each(mentions_.shown.begin(), mentions_.shown.end(), add);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

std::vector<EntityKey> Tenant::link_keys(const Deployment& deployment, SignalHandle signal) const {
    std::vector<EntityKey> keys;
    for (const LinkEntity& link : held_.window().links(signal)) {
        if (std::binary_search(deployment.link_kinds.begin(), deployment.link_kinds.end(), link.kind)) keys.push_back(key_of(link.entity));
    }
    std::sort(keys.begin(), keys.end());
    return keys;
}

/// Of a signal that these takers' matchers do not get: it is behind the horizon, or found no room.
void Tenant::want_rematch(const SignalView& signal, std::span<const Taker> takers) {
    bool is_given_up = false;
    std::uint32_t waits_for = 0;
    for (const auto& [taker, stages] : takers) {
        Deployment& deployment = *taker;
        RematchSeed seed{{signal.time, std::string{signal.source}, std::string{signal.id}}, link_keys(deployment, (stages & absence_bits) != 0)};
        if (deployment.rematching().want(std::move(seed))) {
            ++waits_for;
        } else {
            is_given_up = true;
            ++rematch_counts_.given_up;
        }
    }
    SignalRef ref{signal.time, std::string{signal.source}, std::string{signal.id}};
    behind_horizon_marks_.push_back(ref);
    if (!is_given_up) awaiting_.emplace(std::move(ref), waits_for);  // else it stays marked
    count_rematches();
}

/// Of a signal that the deployment's matcher has taken: it has not the signals behind the horizon that this one may belong to.
void Tenant::want_rematch_near(Deployment& deployment, const SignalView& signal, StageMask stages) {
    std::vector<EntityKey> keys = link_keys(deployment, (stages & absence_bits) != 0);
    const auto is_near = [&](const EntityKey& key) { return deployment.rematches->is_near(key, signal.time); };
    if (deployment.link_kinds.empty() ? !is_near(Rematches::anybody()) : std::none_of(keys.begin(), keys.end(), is_near)) return;
    if (!deployment.rematches->want({{signal.time, std::string{signal.source}, std::string{signal.id}}, std::move(keys)})) ++rematch_counts_.given_up;
    count_rematches();
}

void Tenant::want_decided_rematches() {
    if (!clock_.watermark() || *clock_.watermark() < next_rematch_decision_) return;
    for (const auto& deployment : deployments_) {
        if (!deployment->rematches) continue;
        for (RematchSeed& seed : deployment->rematches->decided(*clock_.watermark())) {
            if (!deployment->rematches->want(std::move(seed))) ++rematch_counts_.given_up;
        }
    }
    count_rematches();
}

/// Takes out what the matcher says of findings that are kept from it: those are matched again instead.
void Tenant::divert(Deployment& deployment, std::vector<FindingDelta>& deltas) {
    Rematches& rematches = *deployment.rematches;
    const auto is_kept = [&](const FindingId& id) { return rematches.keeps(id); };
    const auto belongs = [&](const FindingDelta& delta) {
        return is_kept(delta.id) || (delta.superseded_by && is_kept(*delta.superseded_by)) ||
               std::any_of(delta.added.begin(), delta.added.end(),
                           [&](const StageEvidence& evidence) { return incidents_.any_with(evidence.signal, *deployment.pattern, is_kept); });
    };
    for (bool is_settled = false; !std::exchange(is_settled, true);) {  // what is kept now may keep others
        for (auto delta = deltas.begin(); delta != deltas.end();) {
            if (!belongs(*delta)) {
                ++delta;
                continue;
            }
            is_settled = is_settled && is_kept(delta->id) && (!delta->superseded_by || is_kept(*delta->superseded_by));
            rematches.keep(delta->id, delta->end);
            if (delta->superseded_by) rematches.keep(*delta->superseded_by, delta->end);
            std::vector<SignalHandle> signals;
            if (delta->added.empty()) signals = incidents_.evidence(delta->id);
            else signals.push_back(delta->added.front().signal);
            if (!signals.empty() && !rematches.want(delta->id, {held_.window().ref(signals.front()), link_keys(deployment, signals.front())})) {
                ++rematch_counts_.given_up;
            }
            delta = deltas.erase(delta);
        }
    }
    count_rematches();
}

/// Whether a signal waits that may belong to the finding, or to another one that shares its evidence, or be what should have been absent. When its turn comes
/// depends on how many others wait; what is found must not.
bool Tenant::is_awaited(const Finding& finding) const {
    if (rematches_waiting_ == 0) return false;
    return std::any_of(deployments_.begin(), deployments_.end(), [&](const auto& deployment) {
        const Duration far = reach(*deployment->pattern);
        return deployment->rematches && deployment->rematches->waits_between(finding.start - far, finding.end + far);
    });
}

void Tenant::stop_waiting(Deployment& deployment, std::span<const RematchSeed> seeds) {
    deployment.rematches->done(seeds);
    for (const RematchSeed& seed : seeds) {
        const auto place = awaiting_.find(seed.signal);
        if (place == awaiting_.end() || --place->second > 0) continue;
        rematched_.push_back(place->first);
        awaiting_.erase(place);
    }
}

void Tenant::count_rematches() {
    rematches_waiting_ = 0;
    next_rematch_decision_ = Timestamp::max();
    for (const auto& deployment : deployments_) {
        if (!deployment->rematches) continue;
        rematches_waiting_ += deployment->rematches->waiting();
        if (const auto next = deployment->rematches->decides_at()) next_rematch_decision_ = std::min(next_rematch_decision_, *next);
    }
}

}  // namespace catenary::engine
