#include "engine/lane/rematches.hpp"

#include <algorithm>
#include <utility>

namespace catenary::engine {

namespace {

std::size_t bytes_of(const SignalRef& signal, const std::vector<EntityKey>& entities) {
    std::size_t bytes = signal.source.size() + signal.id.size();
    for (const EntityKey& entity : entities) bytes += entity.kind.size() + entity.value.size();
    return bytes;
}

}  // namespace

bool Rematches::want(RematchSeed seed) {
    if (waiting_.contains(seed.signal)) return true;
    const std::size_t more = bytes_of(seed.signal, seed.entities);
    if (waiting_.size() >= most_waiting || waiting_bytes_ + more > most_waiting_bytes) return false;
    waiting_bytes_ += more;
    waiting_.emplace(std::move(seed.signal), std::move(seed.entities));
    return true;
}

bool Rematches::want(const FindingId& finding, RematchSeed seed) {
    if (told_.contains(finding)) return true;
    const SignalRef signal = seed.signal;
    if (!want(std::move(seed))) return false;
    told_.emplace(finding, signal);
    return true;
}

std::optional<Timestamp> Rematches::oldest() const { return waiting_.empty() ? std::nullopt : std::optional{waiting_.begin()->first.time}; }

bool Rematches::waits_between(Timestamp from, Timestamp to) const {
    const auto first = waiting_.lower_bound(SignalRef{from, {}, {}});
    return first != waiting_.end() && first->first.time <= to;
}

std::vector<RematchSeed> Rematches::next(Duration apart) const {
    std::vector<RematchSeed> seeds;
    for (const auto& [signal, entities] : waiting_) {
        if (seeds.size() == most_at_once || signal.time - waiting_.begin()->first.time > apart) break;
        if (!seeds.empty() && entities.empty() != seeds.front().entities.empty()) break;
        seeds.push_back({signal, entities});
    }
    return seeds;
}

void Rematches::done(std::span<const RematchSeed> seeds) {
    for (const RematchSeed& seed : seeds) {
        const auto place = waiting_.find(seed.signal);
        if (place == waiting_.end()) continue;
        waiting_bytes_ -= std::min(waiting_bytes_, bytes_of(place->first, place->second));
        waiting_.erase(place);
    }
    std::erase_if(told_, [this](const auto& one) { return !waiting_.contains(one.second); });
}

std::vector<SignalRef> Rematches::all_waiting() const {
    std::vector<SignalRef> signals;
    for (const auto& [signal, entities] : waiting_) signals.push_back(signal);
    return signals;
}

void Rematches::keep(const FindingId& finding, Timestamp end) {
    const auto [known, is_new] = kept_.try_emplace(finding, end);
    known->second = std::max(known->second, end);
}

bool Rematches::note_near(std::span<const EntityKey> entities, Timestamp from, Timestamp to) {
    bool has_room = true;
    if (!entities.empty()) near_until_ = std::max(near_until_, to);
    for (const EntityKey& entity : entities) {
        const auto known = near_.find(entity);
        if (known != near_.end()) {
            known->second.from = std::min(known->second.from, from);
            known->second.to = std::max(known->second.to, to);
        } else if (near_.size() < most_near) {
            near_.emplace(entity, Interval{from, to});
        } else {
            has_room = false;
        }
    }
    return has_room;
}

bool Rematches::is_near(const EntityKey& entity, Timestamp time) const {
    const auto known = near_.find(entity);
    return known != near_.end() && time >= known->second.from && time <= known->second.to;
}

void Rematches::decide_at(Timestamp time, RematchSeed seed) { undecided_.emplace(std::pair{time, std::move(seed.signal)}, std::move(seed.entities)); }

std::optional<Timestamp> Rematches::decides_at() const { return undecided_.empty() ? std::nullopt : std::optional{undecided_.begin()->first.first}; }

std::vector<RematchSeed> Rematches::decided(Timestamp watermark) {
    std::vector<RematchSeed> seeds;
    while (!undecided_.empty() && undecided_.begin()->first.first <= watermark) {
        auto first = undecided_.extract(undecided_.begin());
        seeds.push_back({std::move(first.key().second), std::move(first.mapped())});
    }
    return seeds;
}

void Rematches::forget(Timestamp horizon, Timestamp cutoff) {
    std::erase_if(near_, [&](const auto& one) { return one.second.to < horizon; });
    std::erase_if(kept_, [&](const auto& one) { return one.second < cutoff; });
}

std::size_t Rematches::bytes() const {
    constexpr std::size_t a_signal = 256;  // its name, and an entity or two
    constexpr std::size_t an_entity = 160;
    constexpr std::size_t a_finding = 96;
    return (waiting_.size() + undecided_.size()) * a_signal + near_.size() * an_entity + kept_.size() * a_finding + told_.size() * (a_finding + a_signal);
}

void RematchAllowance::take(Timestamp admitted) {
    const Timestamp minute = minute_of(admitted);
    if (!minute_ || minute > *minute_) {
        minute_ = minute;
        taken_ = 0;
    }
    ++taken_;
}

}  // namespace catenary::engine
