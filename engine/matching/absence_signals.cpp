#include "engine/matching/absence_signals.hpp"

#include "engine/model/assert.hpp"
#include "engine/snapshot/codec.hpp"

#include <algorithm>
#include <limits>

namespace catenary::engine {
namespace {

constexpr std::size_t most_of_an_instant = 64;

}  // namespace

void AbsenceSignals::add(SignalHandle signal, StageMask conditions, std::span<const EntityId> mentions, const WindowSignal& facts) {
    CATENARY_ASSERT(conditions != 0 && !mentions.empty(), "a signal that is kept here can meet a condition");
    each_stage(conditions, [&](StageIndex condition) {
        for (const EntityId entity : mentions) {
            Signals& place = signals_[key(entity, condition)];
            std::set<Seen>& seen = facts.late ? place.late : place.on_time;
            seen.emplace_hint(seen.end(), Seen{facts.time, signal});
            ++holds_[signal.value()];
            ++places_;
        }
    });
}

void AbsenceSignals::hold(SignalHandle signal) {
    if (const auto place = holds_.find(signal.value()); place != holds_.end()) ++place->second;
}

bool AbsenceSignals::let_go(SignalHandle signal) {
    const auto place = holds_.find(signal.value());
    if (place == holds_.end()) return true;
    if (--place->second > 0) return false;
    holds_.erase(place);
    return true;
}

bool AbsenceSignals::is_met(EntityId entity, std::size_t condition, const AbsenceInterval& interval) const {
    const auto place = signals_.find(key(entity, condition));
    if (place == signals_.end()) return false;
    const auto found = place->second.on_time.lower_bound(Seen{interval.first, SignalHandle{0}});
    return found != place->second.on_time.end() && found->time <= interval.last;
}

void AbsenceSignals::late_ones(EntityId entity, std::size_t condition, const AbsenceInterval& interval, std::size_t most,
                               std::vector<SignalHandle>& found) const {
    const auto place = signals_.find(key(entity, condition));
    if (place == signals_.end()) return;
    const std::set<Seen>& late = place->second.late;
    const std::size_t known = found.size();
    Timestamp latest = interval.last;
    for (auto one = late.lower_bound(Seen{interval.first, SignalHandle{0}}); one != late.end() && one->time <= latest; ++one) {
        found.push_back(one->signal);
        // Which of one instant are told first depends on more than the order here.
        if (found.size() - known == most) latest = one->time;
        if (found.size() - known == most + most_of_an_instant) break;
    }
}

void AbsenceSignals::expire(const std::function<bool(EntityId, Timestamp)>& is_needed, std::vector<SignalHandle>& given_up) {
    erase_if(signals_, [&](auto& entry) {
        const EntityId entity{static_cast<std::uint32_t>(entry.first >> 3U)};
        const auto forget = [&](std::set<Seen>& seen) {
            std::erase_if(seen, [&](const Seen& one) {
                if (is_needed(entity, one.time)) return false;
                --places_;
                if (let_go(one.signal)) given_up.push_back(one.signal);
                return true;
            });
        };
        forget(entry.second.on_time);
        forget(entry.second.late);
        return entry.second.on_time.empty() && entry.second.late.empty();
    });
}

std::size_t AbsenceSignals::bytes() const {
    constexpr std::size_t node = sizeof(Seen) + 4 * sizeof(void*);
    return signals_.size() * sizeof(decltype(signals_)::value_type) + places_ * (node + sizeof(decltype(holds_)::value_type));
}

void AbsenceSignals::save(SnapshotWriter& out) const {
    for (const auto& [key, signals] : signals_) out.name(EntityId{static_cast<std::uint32_t>(key >> 3U)});
    out(signals_);
}

void AbsenceSignals::load(SnapshotReader& in) {
    in(signals_);
    for (const auto& [key, place] : signals_) {
        SnapshotReader::require((key & 7U) < Absence::most && (key >> 3U) <= std::numeric_limits<std::uint32_t>::max(), "a condition is unknown");
        SnapshotReader::require(!place.on_time.empty() || !place.late.empty(), "an entity has no signals");
        for (const std::set<Seen>* seen : {&place.on_time, &place.late}) {
            places_ += seen->size();
            for (const Seen& one : *seen) ++holds_[one.signal.value()];
        }
    }
}

}  // namespace catenary::engine
