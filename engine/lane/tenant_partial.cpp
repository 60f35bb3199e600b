#include "engine/lane/tenant.hpp"
#include "engine/matching/partial_search.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

// Chains that are not whole: those that are over, told once; those that are part-way, when somebody asks.

namespace catenary::engine {
namespace {

constexpr Duration between_judgements = std::chrono::minutes{1};

}  // namespace

void Tenant::next_judgement_at_most(Timestamp time) { next_judgement_ = std::min(next_judgement_, time); }

void Tenant::work_out_next_judgement() {
    next_judgement_ = Timestamp::max();
    for (const auto& deployment : deployments_) next_judgement_at_most(deployment->matcher.next_judgement());
    if (near_misses_kept_from_) next_judgement_at_most(*near_misses_kept_from_ + near_miss_life + std::chrono::days{1});
}

/// Before anything is forgotten: what a chain consists of is still held then.
void Tenant::judge_if_due() {
    const auto watermark = clock_.watermark();
    if (!watermark || *watermark < next_judgement_) return;
    if (judged_until_ && *watermark - *judged_until_ < between_judgements) return;
    judged_until_ = watermark;
    for (const auto& deployment : deployments_) {
        if (deployment->matcher.next_judgement() > *watermark) continue;
        for (const UnfinishedChain& chain : deployment->matcher.judge(*watermark)) {
            if (deployment->pattern->link == LinkMode::none) continue;  // a chain of nobody; examples are tried without a link to say why they fail
            NearMissAllowance& of_pattern = deployment->activity.near_misses;
            if (!of_pattern.has_room(*watermark) || !near_misses_allowed_.has_room(*watermark)) {
                of_pattern.drop();
                near_misses_allowed_.drop();
                continue;
            }
            of_pattern.take();
            near_misses_allowed_.take();
            near_misses_.push_back(near_miss(*deployment, chain));
        }
    }
    // Once a day of the watermark is often enough to forget by.
    const Timestamp kept_from = std::chrono::floor<std::chrono::days>(*watermark) - near_miss_life;
    if (near_misses_allowed_.taken() > 0 && near_misses_kept_from_ != kept_from) {
        near_misses_kept_from_ = kept_from;
        has_forgotten_near_misses_ = true;
    }
    work_out_next_judgement();
}

EntityKey Tenant::key_of(EntityId entity) const {
    const auto& [kind, value] = dictionary_.entities[entity];
    return {dictionary_.strings[kind], value};
}

std::vector<ChainStage> Tenant::stages_of(const Pattern& pattern, const UnfinishedChain& chain) const {
    std::vector<ChainStage> stages;
    for (const ReachedStage& one : chain.reached) stages.push_back({pattern.stages[one.stage].id, held_.window().ref(one.signal)});
    return stages;
}

NearMissRecord Tenant::near_miss(const Deployment& deployment, const UnfinishedChain& chain) const {
    const Pattern& pattern = *deployment.pattern;
    return {.pattern = pattern.id,
            .version = pattern.version,
            .mode = deployment.mode,
            .entity = key_of(chain.entity),
            .reached = stages_of(pattern, chain),
            .missing = pattern.stages[chain.awaited].id,
            .start = chain.start,
            .end = chain.end,
            .until = chain.until};
}

PartialChain Tenant::partial(const Deployment& deployment, const UnfinishedChain& chain) const {
    const Pattern& pattern = *deployment.pattern;
    PartialChain partial{.pattern = pattern.id,
                         .version = pattern.version,
                         .mode = deployment.mode,
                         .title = pattern.title,
                         .entity = key_of(chain.entity),
                         .reached = stages_of(pattern, chain),
                         .missing = {},
                         .stages = 0,
                         .start = chain.start,
                         .end = chain.end,
                         .until = chain.until};
    for (std::size_t stage = 0; stage < pattern.stages.size(); ++stage) {
        if (!pattern.stages[stage].optional) ++partial.stages;
        if ((chain.missing >> stage & 1U) != 0) partial.missing.push_back(pattern.stages[stage].id);
    }
    return partial;
}

PartialChains Tenant::partials(const PartialWanted& wanted) const {
    PartialChains result;
    result.watermark = clock_.watermark();
    if (!result.watermark) return result;
    std::optional<EntityId> entity;
    if (wanted.entity) {
        const auto kind = dictionary_.strings.find(wanted.entity->kind);
        if (kind) entity = dictionary_.entities.find(*kind, wanted.entity->value);
        if (!entity) return result;
    }
    PartialSearch search{*result.watermark, entity};
    struct Found {
        const Deployment* deployment;
        UnfinishedChain chain;
    };
    std::vector<Found> all;
    for (const auto& deployment : deployments_) {
        const bool is_wanted =
            wanted.patterns.empty() || std::find(wanted.patterns.begin(), wanted.patterns.end(), deployment->pattern->id) != wanted.patterns.end();
        if (!is_wanted) continue;
        deployment->matcher.search(search);
        for (UnfinishedChain& chain : std::exchange(search.found, {})) all.push_back({deployment.get(), std::move(chain)});
    }
    const auto before = [](const Found& left, const Found& right) {
        const auto key = [](const Found& one) {
            return std::tuple{one.chain.lacks(),
                              -static_cast<std::int64_t>(one.chain.reached.size()),
                              -one.chain.end.time_since_epoch().count(),
                              std::string_view{one.deployment->pattern->id},
                              one.deployment->pattern->version,
                              one.chain.entity};
        };
        return key(left) < key(right);
    };
    const std::size_t shown = std::min(wanted.most, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown), all.end(), before);
    for (std::size_t i = 0; i < shown; ++i) result.chains.push_back(partial(*all[i].deployment, all[i].chain));
    result.found = all.size();
    result.is_complete = search.is_complete;
    return result;
}

TenantHealth Tenant::health() const {
    TenantHealth health;
    health.newest = clock_.newest();
    health.bytes = status().state_bytes;
    for (const auto& deployment : deployments_) {
        const PatternMatcher& matcher = deployment->matcher;
        const DeploymentActivity& activity = deployment->activity;
        health.patterns.push_back({.pattern = deployment->pattern->id,
                                   .version = deployment->pattern->version,
                                   .mode = deployment->mode,
                                   .attempts = static_cast<std::int64_t>(matcher.attempts()),
                                   .bytes = static_cast<std::int64_t>(matcher.bytes()),
                                   .work = matcher.work(),
                                   .signals = activity.signals,
                                   .findings = activity.findings,
                                   .near_misses = activity.near_misses.taken(),
                                   .near_misses_dropped = activity.near_misses.dropped(),
                                   .capped = static_cast<std::int64_t>(matcher.capped()),
                                   .last_signal = activity.last_signal,
                                   .last_finding = activity.last_finding,
                                   .held = deployment->held,
                                   .held_most = most_of_pattern(),
                                   .evicted = activity.evicted,
                                   .turned_away = activity.turned_away});
    }
    return health;
}

}  // namespace catenary::engine
