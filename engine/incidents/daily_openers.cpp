#include "engine/incidents/daily_openers.hpp"

#include "engine/model/assert.hpp"
#include "engine/snapshot/codec.hpp"

#include <iterator>

namespace catenary::engine {

std::vector<FindingIndex> DailyOpeners::change_limit(std::size_t limit) {
    limit_ = limit;
    std::vector<FindingIndex> crossed;
    const auto move = [&](Places& from, Places::iterator place, Places& to) {
        if (place->second) crossed.push_back(*place->second);
        to.insert(from.extract(place));
    };
    for (auto& [key, day] : days_) {
        while (day.first.size() > limit_) move(day.first, std::prev(day.first.end()), day.beyond);
        while (day.first.size() < limit_ && !day.beyond.empty()) move(day.beyond, day.beyond.begin(), day.first);
    }
    return crossed;
}

std::optional<FindingIndex> DailyOpeners::add(const Key& key, const FindingOrder& order, FindingIndex finding) {
    Day& day = days_[key];
    for (Places* places : {&day.first, &day.beyond}) {
        const auto place = places->find(order);
        if (place == places->end()) continue;
        if (!place->second) --day.kept;
        place->second = finding;
        return std::nullopt;
    }
    if (day.first.size() >= limit_ && std::prev(day.first.end())->first < order) {
        ++places_;
        day.beyond.emplace(order, finding);
        return std::nullopt;
    }
    ++places_;
    day.first.emplace(order, finding);
    if (day.first.size() <= limit_) return std::nullopt;
    return day.beyond.insert(day.first.extract(std::prev(day.first.end()))).position->second;
}

std::optional<FindingIndex> DailyOpeners::remove(const Key& key, const FindingOrder& order) {
    const auto found = days_.find(key);
    if (found == days_.end()) return std::nullopt;
    Day& day = found->second;
    std::optional<FindingIndex> moved;
    if (const auto place = day.first.find(order); place != day.first.end()) {
        if (!place->second) --day.kept;
        --places_;
        day.first.erase(place);
        if (!day.beyond.empty()) moved = day.first.insert(day.beyond.extract(day.beyond.begin())).position->second;
    } else if (const auto later = day.beyond.find(order); later != day.beyond.end()) {
        if (!later->second) --day.kept;
        --places_;
        day.beyond.erase(later);
    }
    if (day.first.empty() && !day.aggregate) days_.erase(found);
    return moved;
}

void DailyOpeners::keep_place(const Key& key, const FindingOrder& order) {
    Day& day = days_.at(key);
    Places& places = day.first.contains(order) ? day.first : day.beyond;
    places.at(order).reset();
    ++day.kept;
}

bool DailyOpeners::is_beyond(const Key& key, const FindingOrder& order) const {
    const auto found = days_.find(key);
    return found != days_.end() && found->second.beyond.contains(order);
}

std::optional<GroupIndex> DailyOpeners::aggregate(const Key& key) const {
    const auto found = days_.find(key);
    return found == days_.end() ? std::nullopt : found->second.aggregate;
}

void DailyOpeners::set_aggregate(const Key& key, std::optional<GroupIndex> group) {
    const auto found = days_.find(key);
    if (found == days_.end()) {
        CATENARY_ASSERT(!group, "an aggregate is of a day that has openers");
        return;
    }
    found->second.aggregate = group;
    if (!group && found->second.first.empty()) days_.erase(found);
}

void DailyOpeners::forget(Timestamp cutoff) {
    for (auto one = days_.begin(); one != days_.end() && one->first.day + std::chrono::days{1} <= cutoff;) {
        const Day& day = one->second;
        const std::size_t places = day.first.size() + day.beyond.size();
        const bool is_over = day.kept == places && !day.aggregate;
        if (is_over) places_ -= places;
        one = is_over ? days_.erase(one) : std::next(one);
    }
}

std::size_t DailyOpeners::bytes() const {
    constexpr std::size_t a_place = sizeof(Places::value_type) + 4 * sizeof(void*);
    return days_.size() * (sizeof(decltype(days_)::value_type) + 4 * sizeof(void*)) + places_ * a_place;
}

void DailyOpeners::save(SnapshotWriter& out) const {
    std::size_t kept = 0;
    for (const auto& [key, day] : days_) kept += day.kept;
    out(limit_, kept);
    for (const auto& [key, day] : days_) {
        if (day.kept == 0) continue;
        for (const Places* places : {&day.first, &day.beyond}) {
            for (const auto& [order, finding] : *places) {
                if (!finding) out(key.pattern, order);
            }
        }
    }
}

void DailyOpeners::load(SnapshotReader& in) {
    in(limit_);
    SnapshotReader::require(limit_ > 0, "no incident of a day may stand alone");
    for (std::size_t left = in.count(); left > 0; --left) {
        std::string pattern;
        FindingOrder order;
        in(pattern, order);
        Day& day = days_[Key{pattern, order.start}];
        SnapshotReader::require(!day.first.contains(order) && !day.beyond.contains(order), "a place is kept twice");
        add(Key{pattern, order.start}, order, FindingIndex{});
        keep_place(Key{pattern, order.start}, order);
    }
}

}  // namespace catenary::engine
