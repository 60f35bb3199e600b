#include "engine/matching/late_instances.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace catenary::engine {
namespace {

struct SpelledOccurrence {
    Timestamp start;
    Timestamp end;
    std::size_t completing;                     // index of an entry
    std::pair<std::size_t, std::size_t> among;  // its evidence: the entries of its stage in this range
};

bool contains(const InstanceRegion& region, const InstanceSpan& span) {
    return std::any_of(region.boxes().begin(), region.boxes().end(), [&](const InstanceRegion::Box& box) {
        return box.start_min <= span.start && span.start <= box.start_max && box.end_min <= span.end && span.end <= box.end_max;
    });
}

/// The instances of one timeline, stage by stage.
class Speller {
public:
    Speller(const SetTimeline& timeline, Timestamp earliest, const InstanceRegion& region, const TimelineContext& context, std::vector<LateInstance>& found,
            std::size_t& steps)
        : plan_{context.plan}, context_{context}, timeline_{timeline}, region_{region}, found_{found}, steps_{steps} {
        const auto& all = timeline.timeline->entries();
        const Timestamp latest = timeline.completions.back().time;
        const auto begin = std::partition_point(all.begin(), all.end(), [&](const TimelineEntry& entry) { return entry.time < earliest; });
        const auto end = std::partition_point(begin, all.end(), [&](const TimelineEntry& entry) { return entry.time <= latest; });
        if (static_cast<std::size_t>(end - begin) > most_spelled_out) {
            too_many_ = true;
            return;
        }
        entries_.assign(begin, end);
        for (StageIndex stage = 0; stage < plan_.stages; ++stage) collect(stage);
    }

    /// Returns whether all instances could be spelled out.
    bool run() {
        if (!too_many_) choose(0, 0);
        return !too_many_;
    }

private:
    void collect(StageIndex stage) {
        auto& occurrences = occurrences_[stage];
        if (!has_stage(plan_.repeated, stage)) {
            for (std::size_t i = 0; i < entries_.size(); ++i) {
                if (has_stage(entries_[i].stages, stage)) occurrences.push_back({entries_[i].time, entries_[i].time, i, {i, i + 1}});
            }
            return;
        }
        TightestSuffix suffix{stage, plan_};
        for (std::size_t begin = 0, end = 0; begin < entries_.size(); begin = end) {
            const Timestamp time = entries_[begin].time;
            bool satisfied = false;
            for (; end < entries_.size() && entries_[end].time == time; ++end) {
                if (!has_stage(entries_[end].stages, stage)) continue;
                suffix.push(entries_, end, context_.window, context_.values);
                satisfied = true;
            }
            const auto start = satisfied ? suffix.start(entries_, time) : std::nullopt;
            if (!start) continue;
            const auto from = std::partition_point(entries_.begin(), entries_.end(), [&](const TimelineEntry& entry) { return entry.time < *start; });
            for (std::size_t i = begin; i < end; ++i) {
                if (!has_stage(entries_[i].stages, stage)) continue;
                occurrences.push_back({*start, time, i, {static_cast<std::size_t>(from - entries_.begin()), end}});
            }
        }
    }

    void choose(StageIndex stage, std::size_t chosen) {
        if (too_many_ || ++steps_ > 32 * most_spelled_out) {
            too_many_ = true;
            return;
        }
        if (stage == plan_.stages) {
            if (chosen > 0) emit(chosen);
            return;
        }
        if (!has_stage(plan_.mandatory, stage)) choose(static_cast<StageIndex>(stage + 1), chosen);
        const auto& occurrences = occurrences_[stage];
        std::size_t from = 0;
        if (chosen > 0) {
            // Starts rise with ends, so what starts too early lies in front.
            const Timestamp end = chosen_[chosen - 1]->end + Duration{plan_.strict ? 1 : 0};
            const auto place = std::partition_point(occurrences.begin(), occurrences.end(), [&](const SpelledOccurrence& one) { return one.start < end; });
            from = static_cast<std::size_t>(place - occurrences.begin());
        }
        for (std::size_t i = from; i < occurrences.size() && !too_many_; ++i) {
            const SpelledOccurrence& one = occurrences[i];
            if (one.end - (chosen > 0 ? chosen_[0]->start : one.start) > plan_.within) {
                if (chosen > 0) break;
                continue;
            }
            const auto used = [&](const SpelledOccurrence* other) { return other->completing == one.completing; };
            if (std::any_of(chosen_.begin(), chosen_.begin() + static_cast<std::ptrdiff_t>(chosen), used)) continue;
            chosen_[chosen] = &one;
            stages_[chosen] = stage;
            choose(static_cast<StageIndex>(stage + 1), chosen + 1);
        }
    }

    void emit(std::size_t chosen) {
        const SpelledOccurrence& last = *chosen_[chosen - 1];
        const InstanceSpan span{chosen_[0]->start, last.end};
        const SignalHandle completing = entries_[last.completing].signal;
        const bool alone = chosen == 1 && plan_.lone == stages_[0];
        const CompletionKey key{span.end, stages_[chosen - 1], alone ? completing : no_signal};
        if (!std::binary_search(timeline_.completions.begin(), timeline_.completions.end(), key) || !contains(region_, span)) return;

        LateInstance instance{span, timeline_.timeline->entity(), completing, {}};
        bool late = false;
        for (std::size_t c = 0; c < chosen; ++c) {
            const StageMask bit = stage_bit(stages_[c]);
            for (std::size_t i = chosen_[c]->among.first; i < chosen_[c]->among.second; ++i) {
                ++steps_;
                if ((entries_[i].stages & bit) == 0) continue;
                late = late || (entries_[i].stages & late_bit) != 0;
                instance.evidence.push_back({entries_[i].signal, bit});
            }
        }
        if (!late) return;
        if (found_.size() == most_spelled_out) {
            too_many_ = true;
            return;
        }
        merge_services(instance.evidence);
        found_.push_back(std::move(instance));
    }

    const StagePlan& plan_;
    const TimelineContext& context_;
    const SetTimeline& timeline_;
    const InstanceRegion& region_;
    std::vector<LateInstance>& found_;
    std::size_t& steps_;
    bool too_many_ = false;
    std::vector<TimelineEntry> entries_;
    std::array<std::vector<SpelledOccurrence>, max_stages> occurrences_;
    std::array<const SpelledOccurrence*, max_stages> chosen_{};
    std::array<StageIndex, max_stages> stages_{};
};

}  // namespace

std::optional<std::vector<LateInstance>> spell_out_late(const std::vector<SetTimeline>& timelines, Timestamp earliest, const InstanceRegion& region,
                                                        const TimelineContext& context) {
    std::vector<LateInstance> found;
    std::size_t steps = 0;
    for (const SetTimeline& timeline : timelines) {
        if (!Speller{timeline, earliest, region, context, found, steps}.run()) return std::nullopt;
    }
    using Names = std::vector<std::pair<std::string_view, std::string_view>>;
    std::vector<std::pair<Names, std::size_t>> order;
    for (std::size_t i = 0; i < found.size(); ++i) {
        Names names;
        for (const FoundEvidence& one : found[i].evidence) names.emplace_back(context.window.source(one.signal), context.window.id(one.signal));
        std::sort(names.begin(), names.end());
        order.emplace_back(std::move(names), i);
    }
    std::sort(order.begin(), order.end(), [&](const auto& left, const auto& right) {
        const InstanceSpan& a = found[left.second].span;
        const InstanceSpan& b = found[right.second].span;
        return a != b ? a < b : left < right;  // the same signals under another entity: in the order of the entities
    });
    std::vector<LateInstance> ordered;
    ordered.reserve(found.size());
    for (const auto& entry : order) ordered.push_back(std::move(found[entry.second]));
    return ordered;
}

}  // namespace catenary::engine
