#include "engine/matching/distinct_values.hpp"
#include "engine/snapshot/codec.hpp"

namespace catenary::engine {

void DistinctValues::save(SnapshotWriter& out) const {
    std::vector<Value> rank(places_.size());
    out(texts_.size());
    Value next = 0;
    for (const auto& [text, use] : texts_) {
        out(text);
        rank[use.value] = next++;
    }
    out(values_.size());
    std::vector<Value> ranks;
    for (const auto* offered : in_order(out, values_)) {
        out(SignalHandle{static_cast<std::uint32_t>(offered->first >> 4U)}, static_cast<StageIndex>(offered->first & 15U));
        ranks.clear();
        for (const Value value : offered->second) ranks.push_back(rank[value]);
        std::sort(ranks.begin(), ranks.end());
        out(ranks);
    }
}

void DistinctValues::load(SnapshotReader& in) {
    for (std::size_t left = in.count(); left > 0; --left) {
        const auto [place, is_new] = texts_.try_emplace(in.text(), Use{static_cast<Value>(places_.size()), 0});
        SnapshotReader::require(is_new, "a text is repeated");
        places_.push_back(place);
        bytes_ += bytes_of(*place);
    }
    for (std::size_t left = in.count(); left > 0; --left) {
        SignalHandle signal;
        StageIndex stage = 0;
        std::vector<Value> numbers;
        in(signal, stage, numbers);
        SnapshotReader::require(stage < max_stages && !numbers.empty(), "a signal offers values to no stage");
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            SnapshotReader::require(numbers[i] < places_.size() && (i == 0 || numbers[i - 1] < numbers[i]), "a signal offers an unknown value");
            ++places_[numbers[i]]->second.holders;
        }
        bytes_ += numbers.size() * sizeof(Value) + sizeof(std::uint64_t) + sizeof(numbers);
        SnapshotReader::require(values_.emplace(key(signal, stage), std::move(numbers)).second, "a signal offers values twice");
    }
}

}  // namespace catenary::engine
