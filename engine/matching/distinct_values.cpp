#include "engine/matching/distinct_values.hpp"

#include <algorithm>

namespace catenary::engine {

void DistinctValues::add(SignalHandle signal, StageIndex stage, std::span<const std::string> values) {
    if (values.empty()) return;
    std::vector<Value> numbers;
    numbers.reserve(values.size());
    for (const std::string& text : values) {
        const auto [place, is_new] = texts_.try_emplace(text, Use{0, 0});
        if (is_new) {
            if (free_.empty()) {
                free_.push_back(static_cast<Value>(places_.size()));
                places_.emplace_back();
            }
            place->second.value = free_.back();
            free_.pop_back();
            places_[place->second.value] = place;
            bytes_ += bytes_of(*place);
        }
        numbers.push_back(place->second.value);
    }
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    for (const Value value : numbers) ++places_[value]->second.holders;
    bytes_ += numbers.size() * sizeof(Value) + sizeof(std::uint64_t) + sizeof(numbers);
    values_.emplace(key(signal, stage), std::move(numbers));
}

std::span<const DistinctValues::Value> DistinctValues::operator()(SignalHandle signal, StageIndex stage) const {
    const auto found = values_.find(key(signal, stage));
    if (found == values_.end()) return {};
    return found->second;
}

void DistinctValues::forget(SignalHandle signal, StageMask stages) {
    each_stage(stages, [&](StageIndex stage) {
        const auto found = values_.find(key(signal, stage));
        if (found == values_.end()) return;
        for (const Value value : found->second) {
            const auto place = places_[value];
            if (--place->second.holders > 0) continue;
            bytes_ -= bytes_of(*place);
            texts_.erase(place);
            free_.push_back(value);
        }
        bytes_ -= found->second.size() * sizeof(Value) + sizeof(std::uint64_t) + sizeof(found->second);
        values_.erase(found);
    });
}

}  // namespace catenary::engine
