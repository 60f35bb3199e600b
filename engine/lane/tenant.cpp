#include "engine/lane/tenant.hpp"
#include "engine/snapshot/writer.hpp"

#include <algorithm>
#include <iterator>

namespace catenary::engine {
namespace {

/// The latest multiple of `step` since the epoch that is not after `time`.
Timestamp last_step(Timestamp time, Duration step) {
    const Duration beyond = time.time_since_epoch() % step;
    return time - (beyond < Duration::zero() ? beyond + step : beyond);
}

}  // namespace

Tenant::Tenant(TenantId id, std::shared_ptr<const StageIndex> shipped) : id_{id}, shipped_stages_{std::move(shipped)} {
    for (const auto& pattern : shipped_stages_->patterns()) deploy(pattern, pattern->mode, Timestamp::min());
    deployments_changed();
}

TenantEffects Tenant::take_effects() {
    TenantEffects effects;
    effects.tenant = id_;
    std::sort(late_marks_.begin(), late_marks_.end());
    effects.late = std::exchange(late_marks_, {});
    std::sort(behind_horizon_marks_.begin(), behind_horizon_marks_.end());
    effects.behind_horizon = std::exchange(behind_horizon_marks_, {});
    std::sort(rematched_.begin(), rematched_.end());
    std::set_difference(rematched_.begin(), rematched_.end(), effects.behind_horizon.begin(), effects.behind_horizon.end(),
                        std::back_inserter(effects.rematched));
    std::erase_if(effects.behind_horizon, [this](const SignalRef& one) { return std::binary_search(rematched_.begin(), rematched_.end(), one); });
    rematched_.clear();
    incidents_.write(effects);
    effects.near_misses = std::exchange(near_misses_, {});
    if (std::exchange(has_forgotten_near_misses_, false)) effects.near_misses_kept_from = near_misses_kept_from_;
    effects.status = status();
    return effects;
}

TenantStatus Tenant::status() const {
    TenantStatus status{
        .tenant = id_,
        .watermark = clock_.watermark(),
        .held = clock_.held(),
        .newest = clock_.newest(),
        .signals = signals_,
        .late = late_,
        .unlinkable = unlinkable_,
        .behind_horizon = behind_horizon_,
        .oldest_behind_horizon = oldest_behind_horizon_,
        .capped_groups = 0,
        .window_signals = static_cast<std::int64_t>(held_.window().size()),
        .window_limit = window_signals_,
        .evicted_signals = evicted_,
        .turned_away_signals = turned_away_,
        .state_bytes = 0,
        .lateness = clock_.lateness(),
        .ticked = clock_.ticked(),
        .near_misses_dropped = near_misses_allowed_.dropped(),
        .aggregated_findings = incidents_.aggregated(),
        .incidents_cut_short = incidents_.cut_short(),
        .rematches = rematch_counts_,
        .rematch_backlog = static_cast<std::int64_t>(rematches_waiting_),
        .oldest_rematch_waiting = {},
    };
    std::size_t bytes = held_.bytes() + dictionary_.bytes() + incidents_.bytes() + link_rules_.bytes();
    for (const auto& deployment : deployments_) {
        bytes += deployment->matcher.bytes() + (deployment->rematches ? deployment->rematches->bytes() : 0);
        const auto oldest = deployment->rematches ? deployment->rematches->oldest() : std::nullopt;
        if (oldest) status.oldest_rematch_waiting = std::min(status.oldest_rematch_waiting.value_or(*oldest), *oldest);
        status.capped_groups += static_cast<std::int64_t>(deployment->matcher.capped());
    }
    status.state_bytes = static_cast<std::int64_t>(bytes);
    return status;
}

std::string Tenant::digest() const {
    DigestSum findings;
    DigestSum groups;
    incidents_.digest(findings, groups);
    return findings.hex() + groups.hex();
}

/// Forgetting costs a pass over what is held, so it waits until the horizon passes a step, a sixteenth of its length. The steps are fixed in event time: what
/// is in memory at a position, and so can be merged, reopened or shared as evidence, does not depend on the order in which the signals before it came.
void Tenant::expire_if_due(EntryStamp stamp) {
    const auto horizon = clock_.horizon();
    if (!horizon) return;
    const Timestamp passed = last_step(*horizon, clock_.horizon_length() / 16);
    if (expired_until_ && passed <= *expired_until_) return;
    expire(passed, stamp, Awaited::stays);
}

/// Where the window holds as many signals as it may, the oldest are forgotten before their time, by the same steps and no further than the watermark: chains
/// that they began do not go on, and what still comes for their time is matched again from the store. A function of the log, as everything.
void Tenant::make_room(EntryStamp stamp) {
    const Duration step = clock_.horizon_length() / 16;
    while (static_cast<std::int64_t>(held_.window().size()) >= window_signals_ - window_signals_ / 8) {
        const auto horizon = clock_.horizon();
        if (!horizon || !clock_.watermark()) return;
        const Timestamp next = last_step(*horizon, step) + step;
        if (next > *clock_.watermark()) return;
        clock_.raise_horizon(next);
        const auto before = static_cast<std::int64_t>(held_.window().size());
        expire(next, stamp, Awaited::ends);
        evicted_ += before - static_cast<std::int64_t>(held_.window().size());
    }
}

/// The same of one pattern that holds as much as one may.
void Tenant::make_room(Deployment& deployment) {
    const Duration step = clock_.horizon_length() / 16;
    while (deployment.held >= most_of_pattern() - most_of_pattern() / 8) {
        const auto horizon = clock_.horizon();
        if (!horizon || !clock_.watermark()) return;
        const Timestamp next = last_step(std::max(*horizon, deployment.horizon.value_or(*horizon)), step) + step;
        if (next > *clock_.watermark()) return;
        deployment.horizon = next;
        const std::int64_t before = deployment.held;
        forget(deployment, next);
        deployment.activity.evicted += before - deployment.held;
        evicted_ += before - deployment.held;
        incidents_.settle(stamp_);
    }
}

/// Whether a signal of that time can be given to its matcher.
bool Tenant::has_room(Deployment& deployment, Timestamp time) {
    if (deployment.held >= most_of_pattern()) make_room(deployment);
    if (deployment.held < most_of_pattern() && (!deployment.horizon || time >= *deployment.horizon)) return true;
    ++deployment.activity.turned_away;
    return false;
}

void Tenant::forget(Deployment& deployment, Timestamp until) {
    const std::vector<SignalHandle> given_up = deployment.matcher.expire(until);
    deployment.held -= static_cast<std::int64_t>(given_up.size());
    held_.give_back(given_up);
    take_from(deployment);
}

void Tenant::expire(Timestamp until, EntryStamp stamp, Awaited awaited) {
    expired_until_ = until;
    for (const auto& deployment : deployments_) {
        if (deployment->horizon && *deployment->horizon > until) continue;  // it has forgotten more than that
        deployment->horizon.reset();
        forget(*deployment, until);
    }
    incidents_.settle(stamp);
    // An entry that is still matched is not older than the horizon, and no evidence it is matched with is older than this:
    incidents_.forget(until - longest_reach_, stamp, [&](const Finding& finding) { return awaited == Awaited::stays && is_awaited(finding); });
    for (const auto& deployment : deployments_) {
        if (!deployment->rematches) continue;
        deployment->rematches->forget(until, until - longest_reach_);
        if (deployment->rematches->empty()) deployment->rematches.reset();
    }
}

/// What every entry ends with, once what it changed is settled. Looking for what is named is a pass over all state: it waits until the dictionary has grown by
/// as much as was kept the last time, and by as much as the held signals take. So a signal costs a bounded part of a pass. A function of the log, as everything:
/// what numbers stand for does not depend on where a lane was started.
void Tenant::end_entry(EntryStamp stamp) {
    want_decided_rematches();
    judge_if_due();
    expire_if_due(stamp);
    if (dictionary_.bytes() >= forget_above_) forget_unnamed();
}

void Tenant::forget_unnamed() {
    constexpr std::uint64_t bytes_a_signal = 100;
    NamedPlaces named = dictionary_.nothing_named();
    SnapshotWriter names{named};
    save_state(names);
    for (const auto& deployment : deployments_) {
        for (const auto* kinds : {&deployment->link_kinds, &deployment->grouped_kinds}) {
            for (const Symbol kind : *kinds) named.add(kind);
        }
    }
    dictionary_.keep(std::move(named));
    const std::uint64_t kept = dictionary_.bytes();
    forget_above_ = kept + std::max({kept, bytes_a_signal * held_.window().size(), least_forgotten_bytes});
}

}  // namespace catenary::engine
