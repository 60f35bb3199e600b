#include "tests/oracle/oracle.hpp"

#include <algorithm>

namespace catenary::oracle {
namespace {

using engine::Repeat;
using engine::Timestamp;

bool satisfies(const Signal& signal, std::size_t stage) { return (signal.stages >> stage & 1u) != 0; }

bool mentions(const Signal& signal, std::uint32_t entity) {
    return std::any_of(signal.entities.begin(), signal.entities.end(), [&](const Entity& mentioned) { return mentioned.number == entity; });
}

bool groups_by(const engine::Pattern& pattern, const std::string& kind) {
    return std::any_of(pattern.stages.begin(), pattern.stages.end(), [&](const engine::Stage& stage) { return stage.repeat && stage.repeat->by == kind; });
}

std::set<std::uint32_t> linkable(const engine::Pattern& pattern, const Signal& signal) {
    std::set<std::uint32_t> numbers;
    for (const auto& entity : signal.entities) {
        if (std::find(pattern.link_kinds.begin(), pattern.link_kinds.end(), entity.kind) == pattern.link_kinds.end()) continue;
        if (!entity.denied || groups_by(pattern, entity.kind)) numbers.insert(entity.number);
    }
    return numbers;
}

/// At least `repeat.at_least` signals, or different values, of the stage among `chosen`?
bool is_enough(const Repeat& repeat, std::size_t stage, const std::set<std::size_t>& chosen, const std::vector<Signal>& signals) {
    std::int64_t sum = 0;
    std::set<std::string> values;
    for (const auto index : chosen) {
        sum += signals[index].count;
        if (repeat.distinct) values.insert(signals[index].distinct.at(stage).begin(), signals[index].distinct.at(stage).end());
    }
    return (repeat.distinct ? static_cast<std::int64_t>(values.size()) : sum) >= repeat.at_least;
}

}  // namespace

std::vector<Occurrence> occurrences(const engine::Pattern& pattern, std::size_t stage, const std::vector<Signal>& signals) {
    std::vector<Occurrence> found;
    const auto& repeat = pattern.stages[stage].repeat;
    if (!repeat) {
        for (std::size_t index = 0; index < signals.size(); ++index) {
            const auto& signal = signals[index];
            if (satisfies(signal, stage)) found.push_back({signal.ref.time, signal.ref.time, index, {index}, linkable(pattern, signal)});
        }
        return found;
    }

    std::set<std::uint32_t> entities;
    for (const auto& signal : signals) {
        for (const auto& entity : signal.entities) {
            if (entity.kind == repeat->by) entities.insert(entity.number);
        }
    }
    for (const auto entity : entities) {
        const auto within = [&](Timestamp first, Timestamp last) {
            std::set<std::size_t> chosen;
            for (std::size_t index = 0; index < signals.size(); ++index) {
                const auto time = signals[index].ref.time;
                if (satisfies(signals[index], stage) && mentions(signals[index], entity) && time >= first && time <= last) chosen.insert(index);
            }
            return chosen;
        };
        for (const auto index : within(Timestamp::min(), Timestamp::max())) {
            const Timestamp end = signals[index].ref.time;
            const auto window = within(end - repeat->within, end);
            if (!is_enough(*repeat, stage, window, signals)) continue;
            Timestamp start = Timestamp::min();
            for (const auto candidate : window) {  // the latest instant that still leaves enough is the time of one of them
                const auto time = signals[candidate].ref.time;
                if (time > start && is_enough(*repeat, stage, within(time, end), signals)) start = time;
            }
            found.push_back({start, end, index, within(start, end), {entity}});
        }
    }
    return found;
}

}  // namespace catenary::oracle
