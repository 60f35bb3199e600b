#include "engine/lane/tenant.hpp"
#include "engine/matching/required_domains.hpp"
#include "engine/model/assert.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

// What came when its time had been forgotten, matched again with what the store has of that time (Rematches).

namespace catenary::engine {
namespace {

// Each round reads what the one before turned out to need; far more than a chain of attacks has needed yet.
constexpr int most_rounds = 8;
constexpr std::size_t most_entities = 256;
constexpr Duration longest_interval = std::chrono::days{64};

/// What is kept back for its domains hangs together with other findings all the same.
std::shared_ptr<const Pattern> without_required_domains(const std::shared_ptr<const Pattern>& pattern) {
    if (!pattern->required_domains) return pattern;
    auto same = std::make_shared<Pattern>(*pattern);
    same->required_domains.reset();
    return same;
}

}  // namespace

RematchRequest Tenant::rematch_request() {
    CATENARY_ASSERT(wants_rematch(), "something waits");
    if (!rematch_) {
        Deployment* first = nullptr;
        for (const auto& deployment : deployments_) {
            const auto oldest = deployment->rematches ? deployment->rematches->oldest() : std::nullopt;
            if (oldest && (first == nullptr || *oldest < *first->rematches->oldest())) first = deployment.get();
        }
        rematch_allowance_.take(stamp_.admitted);
        ++rematch_counts_.made;
        begin_rematch(*first, first->rematches->next(reach(*first->pattern)));
    }
    const auto& [entities, from, to] = rematch_->bounds;
    return {id_, rematch_->deployment->pattern, {entities.begin(), entities.end()}, from, to, stamp_.position};
}

/// Reads twice as far as an instance with one of the seeds can reach: mostly all that what they belong to needs.
void Tenant::begin_rematch(Deployment& deployment, std::vector<RematchSeed> seeds) {
    const bool is_linked = !seeds.front().entities.empty();
    if (!is_linked) seeds.resize(1);  // a finding of its own
    const bool is_alone = !is_linked && deployment.pattern->absent.empty();
    const Duration far = is_alone ? Duration::zero() : 2 * reach(*deployment.pattern);
    rematch_.emplace(Rematch{&deployment, {}, {{}, seeds.front().signal.time - far, seeds.back().signal.time + far}, {}});
    for (const RematchSeed& seed : seeds) rematch_->bounds.entities.insert(seed.entities.begin(), seed.entities.end());
    rematch_->seeds = std::move(seeds);
}

void Tenant::rematch(const RematchAnswer& answer) {
    CATENARY_ASSERT(rematch_.has_value(), "an answer follows its request");
    if (answer.too_many) {
        if (rematch_->seeds.size() > 1) return begin_rematch(*rematch_->deployment, {rematch_->seeds.front()});
        if (rematch_->former) {  // what was read before has to do
            rematch_->bounds = *std::exchange(rematch_->former, std::nullopt);
            rematch_->is_last = rematch_->is_cut = true;
            return;
        }
        ++rematch_counts_.given_up;
        awaiting_.erase(rematch_->seeds.front().signal);  // it stays marked
        return end_rematch();
    }
    rematch_counts_.signals += static_cast<std::int64_t>(answer.signals.size());
    rematch_->is_cut = rematch_->is_cut || !answer.is_whole;
    const Deployment& deployment = *rematch_->deployment;
    auto beside = made(without_required_domains(deployment.pattern), deployment.mode, deployment.effective_from);
    const auto given = give_stored(*beside, answer.signals);
    std::vector<SignalHandle> seeds;
    for (const SignalHandle handle : given) {
        const auto is_it = [&](const RematchSeed& seed) {
            return seed.signal.time == held_.window()[handle].time && seed.signal.id == held_.window().id(handle) &&
                   seed.signal.source == held_.window().source(handle);
        };
        if (std::any_of(rematch_->seeds.begin(), rematch_->seeds.end(), is_it)) seeds.push_back(handle);
    }
    auto deltas = beside->matcher.take_deltas();
    std::erase_if(deltas, [](const FindingDelta& delta) { return delta.kind == FindingDelta::Kind::superseded; });
    auto together = hanging_together(std::move(deltas), seeds);
    rematch_->is_cut = rematch_->is_cut || beside->matcher.capped() > 0;
    auto wider = rematch_->is_last ? std::nullopt : wider_bounds(together, given);
    const bool is_too_wide =
        wider && (++rematch_->rounds == most_rounds || wider->entities.size() > most_entities || wider->to - wider->from > longest_interval);
    if (wider && !is_too_wide) {
        rematch_->former = std::exchange(rematch_->bounds, std::move(*wider));
    } else {
        rematch_->is_cut = rematch_->is_cut || is_too_wide;
        take_rematched(std::move(together), seeds);
    }
    stop(std::move(beside));
    work_out_next_judgement();  // nothing of what was matched beside is judged
}

/// The findings that hang together with the seeds by shared signals, as they are now and as they were: those are whole, since what is read is read around them.
Tenant::Together Tenant::hanging_together(std::vector<FindingDelta> found, const std::vector<SignalHandle>& seeds) const {
    const Pattern& pattern = *rematch_->deployment->pattern;
    Together together{{}, {}, seeds, rematch_->seeds.front().signal.time, rematch_->seeds.back().signal.time};
    boost::unordered_flat_map<SignalHandle, std::vector<std::size_t>, std::hash<SignalHandle>> by_signal;
    for (std::size_t i = 0; i < found.size(); ++i) {
        for (const StageEvidence& evidence : found[i].added) by_signal[evidence.signal].push_back(i);
    }
    std::vector<bool> is_reached(found.size());
    std::set<FindingId, FindingIdLess> former;
    const auto include = [&](std::size_t i) {
        if (is_reached[i]) return;
        is_reached[i] = true;
        together.start = std::min(together.start, found[i].start);
        together.end = std::max(together.end, found[i].end);
        for (const StageEvidence& evidence : found[i].added) together.signals.push_back(evidence.signal);
    };
    for (std::size_t i = 0; i < found.size(); ++i) {  // a seed that should have been absent is no evidence
        const auto is_seed = [&](const LateAnswer& answer) { return std::find(seeds.begin(), seeds.end(), answer.signal) != seeds.end(); };
        if (std::any_of(found[i].late_answers.begin(), found[i].late_answers.end(), is_seed)) include(i);
    }
    boost::unordered_flat_set<SignalHandle, std::hash<SignalHandle>> seen;
    for (std::size_t next = 0; next < together.signals.size(); ++next) {
        const SignalHandle signal = together.signals[next];
        if (!seen.insert(signal).second) continue;
        const auto with_it = by_signal.find(signal);
        if (with_it != by_signal.end()) std::for_each(with_it->second.begin(), with_it->second.end(), include);
        for (const FindingId& id : incidents_.found_with(signal, pattern)) {
            if (!former.insert(id).second) continue;
            for (const SignalHandle evidence : incidents_.evidence(id)) {
                together.signals.push_back(evidence);
                together.start = std::min(together.start, held_.window()[evidence].time);
                together.end = std::max(together.end, held_.window()[evidence].time);
            }
        }
    }
    together.signals.assign(seen.begin(), seen.end());
    std::sort(together.signals.begin(), together.signals.end());
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (is_reached[i]) together.found.push_back(std::move(found[i]));
    }
    together.former.assign(former.begin(), former.end());
    return together;
}

/// What has to be read so that nothing that shares a signal with what was found is missed; empty: it was.
std::optional<Tenant::Rematch::Bounds> Tenant::wider_bounds(const Together& together, std::span<const SignalHandle> given) const {
    const auto& bounds = rematch_->bounds;
    if (bounds.entities.empty()) return std::nullopt;
    const Deployment& deployment = *rematch_->deployment;
    const Duration far = reach(*deployment.pattern);
    auto wider = bounds;
    const auto add_entities = [&](SignalHandle signal) {
        for (EntityKey& key : link_keys(deployment, signal)) wider.entities.insert(std::move(key));
    };
    std::for_each(together.signals.begin(), together.signals.end(), add_entities);
    if (deployment.pattern->link == LinkMode::chain) std::for_each(given.begin(), given.end(), add_entities);  // any may be a link of a chain
    const Duration more = far * (rematch_->rounds + 1);
    if (together.start - far < bounds.from) wider.from = together.start - far - more;
    if (together.end + far > bounds.to) wider.to = together.end + far + more;
    const bool is_enough = wider.entities.size() == bounds.entities.size() && wider.from == bounds.from && wider.to == bounds.to;
    return is_enough ? std::nullopt : std::optional{std::move(wider)};
}

void Tenant::take_rematched(Together together, const std::vector<SignalHandle>& seeds) {
    Deployment& deployment = *rematch_->deployment;
    Rematches& rematches = *deployment.rematches;
    for (const FindingDelta& finding : together.found) {
        rematches.keep(finding.id, finding.end);
        if (!finding.waiting_until) continue;
        const SignalHandle signal = finding.added.front().signal;
        rematches.decide_at(*finding.waiting_until, {held_.window().ref(signal), link_keys(deployment, signal)});
    }
    for (const FindingId& id : together.former) rematches.keep(id, together.end);
    const Duration far = reach(*deployment.pattern);
    std::vector<EntityKey> entities{rematch_->bounds.entities.begin(), rematch_->bounds.entities.end()};
    if (entities.empty() && !deployment.pattern->absent.empty()) entities.push_back(Rematches::anybody());
    if (!rematches.note_near(entities, together.start - far, together.end + far)) rematch_->is_cut = true;
    if (const auto& least = deployment.pattern->required_domains) {
        together.found = RequiredDomains{static_cast<std::size_t>(*least)}.admit(std::move(together.found), held_.window());
    }
    auto opened = together.found;
    std::erase_if(opened, [this](const FindingDelta& finding) { return !incidents_.evidence(finding.id).empty(); });
    deployment.activity.found(opened);
    const Incidents::Rematched rematched{std::move(together.found), std::move(together.former), seeds, !rematch_->is_cut};
    incidents_.take_rematched(rematched, deployment.pattern, deployment.mode);
    incidents_.settle(stamp_);
    end_rematch();
}

void Tenant::end_rematch() {
    if (rematch_->is_cut) ++rematch_counts_.cut;
    stop_waiting(*rematch_->deployment, rematch_->seeds);
    rematch_.reset();
    count_rematches();
}

}  // namespace catenary::engine
