#include "engine/lane/tenant.hpp"
#include "engine/snapshot/pattern_identity.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace catenary::engine {
namespace {

bool has_name_of(const Pattern& one, const Pattern& other) { return one.id == other.id && one.version == other.version; }

}  // namespace

void Tenant::apply(Position position, Timestamp admitted, const ControlBody& body, std::span<const StoredSignal> history) {
    const EntryStamp stamp{position, admitted};
    stamp_ = stamp;
    if (std::holds_alternative<Tick>(body)) clock_.tick(admitted);
    if (const auto* call = std::get_if<WatermarkCall>(&body)) clock_.call(*call);
    if (const auto* change = std::get_if<PatternChange>(&body)) change_pattern(*change, history);
    if (const auto* edit = std::get_if<IncidentEdit>(&body)) incidents_.edit(*edit, stamp);
    if (const auto* comment = std::get_if<IncidentComment>(&body)) incidents_.comment(*comment, stamp);
    if (const auto* merge = std::get_if<IncidentMerge>(&body)) incidents_.merge(*merge, stamp);
    if (const auto* split = std::get_if<IncidentSplit>(&body)) incidents_.split(*split, stamp);
    if (const auto* change = std::get_if<SettingChange>(&body)) change_settings(*change);
    if (const auto* change = std::get_if<EntityChange>(&body)) change_entity(*change);
    judge_absence();
    incidents_.settle(stamp);
    end_entry(stamp);
}

void Tenant::change_settings(const SettingChange& change) {
    if (change.lateness) clock_.set_lateness(*change.lateness);
    if (change.unlinkable_limit) link_rules_.set_limit(newest_or_never(), static_cast<std::size_t>(std::max(*change.unlinkable_limit, 0)));
    if (change.group_within) incidents_.change_group_within(std::max(*change.group_within, Duration::zero()));
    if (change.window_signals) window_signals_ = std::max<std::int64_t>(*change.window_signals, 1);
    if (change.daily_incidents) incidents_.change_daily_limit(static_cast<std::size_t>(std::max<std::int64_t>(*change.daily_incidents, 1)));
    if (change.incident_entities) incidents_.change_listed_entities(static_cast<std::size_t>(std::max(*change.incident_entities, 1)));
    if (!change.base_rate) return;
    scoring_.base_rate = *change.base_rate;
    incidents_.change_scoring(scoring_);
}

void Tenant::change_entity(const EntityChange& change) {
    const EntityId entity = dictionary_.entities.intern(dictionary_.strings.intern(change.entity.kind), change.entity.value);
    link_rules_.set(entity, newest_or_never(), change.link);
}

/// Unless it is said, early enough that no attempt in flight is lost: neither what may still be completed, nor what is complete and waits for absence, be it to
/// this version or to one that it ends.
Timestamp Tenant::effective_from(const PatternChange& change) const {
    if (change.effective_from) return *change.effective_from;
    if (!clock_.watermark() || !clock_.newest()) return Timestamp::min();
    Duration back = std::max(change.pattern->within, longest_wait(*change.pattern));
    for (const auto& deployment : deployments_) {
        if (ends(change, *deployment)) back = std::max(back, longest_wait(*deployment->pattern));
    }
    return *clock_.watermark() - back;
}

/// A version that comes into production ends every other; one that is flighted stands beside production and ends other flighted ones; `off` ends all.
bool Tenant::ends(const PatternChange& change, const Deployment& deployment) {
    if (deployment.pattern->id != change.pattern->id) return false;
    if (change.deployed() == Mode::off) return true;
    return deployment.pattern->version != change.pattern->version && (change.deployed() == Mode::production || deployment.mode == Mode::flighting);
}

Deployment* Tenant::running(const Pattern& pattern) const {
    const auto found = std::find_if(deployments_.begin(), deployments_.end(), [&](const auto& one) { return has_name_of(*one->pattern, pattern); });
    if (found == deployments_.end()) return nullptr;
    const auto& own = (*found)->pattern;
    return own.get() == &pattern || content_hash(*own) == content_hash(pattern) ? found->get() : nullptr;
}

/// Ends what has the name and number of the pattern and is another one: what ships by now under the id of a pattern that the tenant had before. Its findings of
/// the span go first, since those of the tenant's own may have their ids.
void Tenant::end_namesake(const Pattern& pattern, Timestamp effective_from) {
    const auto found = std::find_if(deployments_.begin(), deployments_.end(), [&](const auto& one) { return has_name_of(*one->pattern, pattern); });
    if (found == deployments_.end()) return;
    incidents_.end_version(*(*found)->pattern, effective_from, pattern);
    incidents_.end_waiting(*(*found)->pattern);
    incidents_.settle(stamp_);
    stop(std::move(*found));
    deployments_.erase(found);
}

std::optional<HistoryRequest> Tenant::history_for(const ControlBody& body) const {
    const auto* change = std::get_if<PatternChange>(&body);
    if (change == nullptr || change->deployed() == Mode::off || !clock_.newest()) return std::nullopt;
    if (running(*change->pattern) != nullptr) return std::nullopt;  // only its mode changes
    const Timestamp effective = effective_from(*change);
    const Duration needed = reach(*change->pattern);
    const Timestamp from = effective < Timestamp::min() + needed ? Timestamp::min() : effective - needed;
    if (from > *clock_.newest()) return std::nullopt;
    return HistoryRequest{id_, from, *clock_.newest()};
}

std::unique_ptr<Deployment> Tenant::made(std::shared_ptr<const Pattern> pattern, Mode mode, Timestamp effective_from) {
    std::vector<Symbol> kinds;
    for (const std::string& kind : pattern->link_kinds) kinds.push_back(dictionary_.strings.intern(kind));
    const std::string identity = std::to_string(id_.value()) + "/" + pattern->id + "/" + std::to_string(pattern->version);
    PatternMatcher matcher{pattern, identity, effective_from, held_.window(), kinds};
    std::sort(kinds.begin(), kinds.end());
    std::vector<Symbol> grouped;
    for (const Stage& stage : pattern->stages) {
        if (stage.repeat) grouped.push_back(dictionary_.strings.intern(stage.repeat->by));
    }
    std::sort(grouped.begin(), grouped.end());
    return std::make_unique<Deployment>(Deployment{std::move(pattern), mode, std::move(kinds), std::move(grouped), effective_from, std::move(matcher)});
}

Deployment& Tenant::deploy(std::shared_ptr<const Pattern> pattern, Mode mode, Timestamp effective_from) {
    deployments_.push_back(made(std::move(pattern), mode, effective_from));
    return *deployments_.back();
}

/// What ended versions found before `effective_from` stays.
void Tenant::change_pattern(const PatternChange& change, std::span<const StoredSignal> history) {
    const Pattern& pattern = *change.pattern;
    const Mode mode = change.deployed();
    const Timestamp effective = effective_from(change);
    Deployment* own = running(pattern);
    if (mode != Mode::off && own == nullptr) {
        end_namesake(pattern, effective);
        own = &deploy(change.pattern, mode, effective);
        give_history(*own, history);
    } else if (mode != Mode::off) {
        if (own->mode == Mode::flighting && mode == Mode::production) incidents_.promote(pattern, effective);
        own->mode = mode;
    }
    Deployments kept;
    for (auto& deployment : deployments_) {
        if (!ends(change, *deployment)) {
            kept.push_back(std::move(deployment));
            continue;
        }
        if (mode == Mode::production) incidents_.end_version(*deployment->pattern, effective, pattern);
        incidents_.end_waiting(*deployment->pattern);
        stop(std::move(deployment));
    }
    deployments_ = std::move(kept);
    deployments_changed();
}

std::vector<SignalHandle> Tenant::give_stored(Deployment& deployment, std::span<const StoredSignal> history) {
    std::vector<SignalHandle> given;
    if (history.empty()) return given;
    std::sort(late_marks_.begin(), late_marks_.end());  // they are looked up below
    // Signals that another pattern or this one wanted are in the window already.
    boost::unordered_flat_map<std::pair<std::string_view, std::string_view>, SignalHandle> known;
    for (const SignalHandle handle : held_.all()) {
        const Timestamp time = held_.window()[handle].time;
        if (time < history.front().signal.time || time > history.back().signal.time) continue;
        known.emplace(std::pair{held_.window().source(handle), held_.window().id(handle)}, handle);
    }
    for (const StoredSignal& stored : history) {
        const BorrowedSignal borrowed{stored.signal};
        const SignalView& signal = borrowed.view();
        StageMask stages = satisfied_stages(*deployment.pattern, signal);
        if (stages == 0) continue;
        read_mentions(signal);
        if (!has_links(deployment)) stages &= absence_bits;
        if ((stages & absence_bits) != 0 && !mentions_linking_kind(deployment)) stages &= stage_bits;
        if (stages == 0) continue;
        const auto held = known.find({signal.source, signal.id});
        if (held != known.end()) {
            given.push_back(held->second);
        } else {
            const DefinitionId definition = dictionary_.definitions.intern(signal, dictionary_.strings);
            // Marks made since the caller last wrote effects are not in the store yet.
            const bool is_late =
                stored.late || std::binary_search(late_marks_.begin(), late_marks_.end(), SignalRef{signal.time, stored.signal.source, stored.signal.id});
            given.push_back(held_.add(signal, is_late, definition, mentions_.links_and_denied(), mentions_.shown));
        }
        give(deployment, given.back(), stages, signal);
    }
    return given;
}

/// As much of it as one pattern may hold, the oldest making room; what finds none, since all of it is of one `within`, is counted.
void Tenant::give_history(Deployment& deployment, std::span<const StoredSignal> history) {
    const auto at_once = static_cast<std::size_t>(std::max<std::int64_t>(most_of_pattern() / 8, 1));  // each time the window is gone through once
    do {
        if (deployment.held >= most_of_pattern()) make_room(deployment);
        if (deployment.held >= most_of_pattern()) {
            deployment.activity.turned_away += static_cast<std::int64_t>(history.size());
            turned_away_ += static_cast<std::int64_t>(history.size());
            return;
        }
        const auto room = static_cast<std::size_t>(most_of_pattern() - deployment.held);
        const auto some = history.first(std::min({at_once, room, history.size()}));
        give_stored(deployment, some);
        take_from(deployment, Incidents::FoundAmong::stored);
        history = history.subspan(some.size());
    } while (!history.empty());
}

void Tenant::stop(std::unique_ptr<Deployment> deployment) {
    if (deployment->rematches) {
        std::vector<RematchSeed> waiting;
        for (SignalRef& signal : deployment->rematches->all_waiting()) waiting.push_back({std::move(signal), {}});
        stop_waiting(*deployment, waiting);
    }
    held_.give_back(deployment->matcher.expire(Timestamp::max()));
}

void Tenant::deployments_changed() {
    std::vector<std::shared_ptr<const Pattern>> patterns;
    attribute_paths_.clear();
    Duration longest_within{};
    longest_reach_ = Duration{};
    for (const auto& deployment : deployments_) {
        patterns.push_back(deployment->pattern);
        attribute_paths_.merge(catenary::engine::attribute_paths(*deployment->pattern));
        if (deployment->mode == Mode::production) longest_within = std::max(longest_within, deployment->pattern->within);
        longest_reach_ = std::max(longest_reach_, reach(*deployment->pattern));
    }
    if (patterns == shipped_stages_->patterns()) stages_ = shipped_stages_;
    else stages_ = std::make_shared<const StageIndex>(std::move(patterns), ++stage_generation_);
    clock_.set_reach(longest_within);
    work_out_next_judgement();
    count_rematches();
}

}  // namespace catenary::engine
