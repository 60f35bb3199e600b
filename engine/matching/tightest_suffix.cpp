#include "engine/matching/tightest_suffix.hpp"

#include <algorithm>

namespace catenary::engine {
namespace {

// Far above any real count; keeps sums of three of them inside 64 bits.
constexpr std::int64_t largest_count = 1'000'000'000'000'000'000;

}  // namespace

TightestSuffix::TightestSuffix(StageIndex stage, const StagePlan& plan)
    : stage_{stage},
      at_least_{std::clamp<std::int64_t>(plan.pattern->stages[stage].repeat->at_least, 1, largest_count)},
      within_{plan.pattern->stages[stage].repeat->within} {
    if (has_stage(plan.distinct, stage)) counts_ = std::make_unique<Counts>();
}

std::int64_t TightestSuffix::weight(const TimelineEntry& entry, const SignalWindow& window) const {
    return std::clamp<std::int64_t>(window[entry.signal].count, 1, at_least_);  // more than at_least says no more than at_least
}

void TightestSuffix::include(const TimelineEntry& entry, const SignalWindow& window, const DistinctValues& values) {
    if ((entry.stages & late_bit) != 0) last_late_ = last_late_ ? std::max(*last_late_, entry.time) : entry.time;
    if (!counts_) {
        sum_ += weight(entry, window);
        return;
    }
    for (const DistinctValues::Value value : values(entry.signal, stage_)) {
        if (++(*counts_)[value] == 1) ++sum_;
    }
}

bool TightestSuffix::drop_first(const TimelineEntry& entry, const SignalWindow& window, const DistinctValues& values) {
    if (!counts_) {
        const std::int64_t own = weight(entry, window);
        if (sum_ - own < at_least_) return false;
        sum_ -= own;
        return true;
    }
    const auto offered = values(entry.signal, stage_);
    const auto only_here = std::count_if(offered.begin(), offered.end(), [&](DistinctValues::Value value) { return counts_->at(value) == 1; });
    if (sum_ - only_here < at_least_) return false;
    sum_ -= only_here;
    for (const DistinctValues::Value value : offered) {
        const auto count = counts_->find(value);
        if (--count->second == 0) counts_->erase(count);
    }
    return true;
}

void TightestSuffix::push(const std::vector<TimelineEntry>& entries, std::size_t index, const SignalWindow& window, const DistinctValues& values) {
    include(entries[index], window, values);
    while (first_ <= index) {
        if (has_stage(entries[first_].stages, stage_) && !drop_first(entries[first_], window, values)) break;
        ++first_;
    }
}

void TightestSuffix::restart(const std::vector<TimelineEntry>& entries, std::size_t end, const SignalWindow& window, const DistinctValues& values) {
    first_ = end;
    sum_ = 0;
    last_late_.reset();
    if (counts_) counts_->clear();
    if (end == 0) return;
    // What is further back than the stage's own limit cannot be in the run of anything that is still to come.
    const Timestamp oldest = entries[end - 1].time - within_;
    while (first_ > 0 && sum_ < at_least_ && entries[first_ - 1].time >= oldest) {
        --first_;
        if (has_stage(entries[first_].stages, stage_)) include(entries[first_], window, values);
    }
}

std::optional<Timestamp> TightestSuffix::start(const std::vector<TimelineEntry>& entries, Timestamp time) const {
    if (sum_ < at_least_) return std::nullopt;
    const Timestamp start = entries[first_].time;
    if (time - start > within_) return std::nullopt;
    return start;
}

}  // namespace catenary::engine
