#include "tests/property/random_case.hpp"

#include <algorithm>
#include <random>

namespace catenary::property {
namespace {

using engine::Duration;
using std::chrono::seconds;

/// Draws from one seed. Not the standard distributions: they differ between libraries, and a seed should mean the same case everywhere.
class Dice {
public:
    explicit Dice(std::uint32_t seed) : random_{seed} {}
    explicit Dice(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}
    int between(int least, int most) { return least + static_cast<int>(next() % static_cast<std::uint32_t>(most - least + 1)); }
    bool one_in(int sides) { return between(1, sides) == 1; }
    Duration seconds_between(int least, int most) { return seconds{between(least, most)}; }

private:
    std::uint32_t next() {
        if (bytes_.empty()) return static_cast<std::uint32_t>(random_());
        const auto first = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return first;
    }

    std::span<const std::uint8_t> bytes_;
    std::mt19937 random_;
};

constexpr const char* kinds[] = {"account", "host", "ip"};
constexpr const char* domains[] = {"identity", "email", "endpoint"};

engine::Repeat random_repeat(Dice& dice, const std::vector<std::string>& link_kinds) {
    engine::Repeat repeat{dice.between(1, 4),
                          dice.seconds_between(1, dice.one_in(2) ? 2 : 6),
                          link_kinds[static_cast<std::size_t>(dice.between(0, static_cast<int>(link_kinds.size()) - 1))],
                          {}};
    if (repeat.at_least == 1 && !dice.one_in(4)) repeat.at_least = 2;
    if (dice.one_in(3)) repeat.distinct = engine::Field{engine::Field::Kind::attribute, "value"};
    return repeat;
}

engine::Pattern random_pattern(Dice& dice, int instants) {
    engine::Pattern pattern;
    pattern.id = "p";
    const int count = dice.one_in(8) ? 1 : dice.between(2, dice.one_in(3) ? 4 : 3);
    const bool is_linked = count > 1 || !dice.one_in(3);
    if (is_linked) {
        pattern.link = engine::LinkMode::same;
        pattern.link_kinds = {kinds[0]};
        if (dice.one_in(4)) pattern.link_kinds.emplace_back(kinds[1]);
    }
    for (int index = 0; index < count; ++index) {
        engine::Stage stage{"s" + std::to_string(index), {}, count > 1 && dice.one_in(4), {}, {}};
        if (is_linked && dice.one_in(4)) stage.repeat = random_repeat(dice, pattern.link_kinds);
        pattern.stages.push_back(std::move(stage));
    }
    pattern.stages[static_cast<std::size_t>(dice.between(0, count - 1))].optional = false;
    pattern.within = dice.seconds_between(1, dice.one_in(2) ? 3 : instants);
    pattern.max_span = dice.one_in(3) ? Duration{std::chrono::days{14}} : pattern.within + dice.seconds_between(0, 2);
    pattern.strict = dice.one_in(5);
    return pattern;
}

/// `crowded`: nearly all signals mention the same entity and many satisfy several stages, which makes long rows of connected instances.
oracle::Signal random_signal(Dice& dice, const engine::Pattern& pattern, int number, int instants, bool crowded) {
    oracle::Signal signal;
    signal.ref.time = engine::Timestamp{dice.seconds_between(0, instants - 1)};
    signal.ref.source = dice.one_in(2) ? "edr" : "mail";
    signal.ref.id = std::string(1, static_cast<char>('a' + dice.between(0, 25))) + std::to_string(number);
    const int stages = static_cast<int>(pattern.stages.size());
    do signal.stages |= static_cast<engine::StageMask>(1u << dice.between(0, stages - 1));
    while (dice.one_in(crowded ? 2 : 4));
    const int mentions = dice.one_in(12) ? 0 : dice.one_in(4) ? dice.between(2, 3) : 1;
    if (crowded && !dice.one_in(12)) signal.entities.push_back({kinds[0], 1});
    for (int left = crowded ? mentions - 1 : mentions; left > 0; --left) {
        const int kind = dice.one_in(5) ? dice.between(1, 2) : 0;
        const auto entity = oracle::Entity{kinds[kind], static_cast<std::uint32_t>(1 + 10 * kind + dice.between(0, dice.one_in(3) ? 2 : 1))};
        if (std::find(signal.entities.begin(), signal.entities.end(), entity) == signal.entities.end()) signal.entities.push_back(entity);
    }
    std::sort(signal.entities.begin(), signal.entities.end());
    signal.count = dice.one_in(5) ? dice.between(2, 3) : 1;
    signal.late = dice.one_in(crowded ? 24 : 12);
    signal.distinct.resize(pattern.stages.size());
    for (std::size_t stage = 0; stage < pattern.stages.size(); ++stage) {
        if (!pattern.stages[stage].repeat || !pattern.stages[stage].repeat->distinct) continue;
        for (int left = dice.between(0, 2); left > 0; --left) {
            const std::string value(1, static_cast<char>('u' + dice.between(0, 2)));
            auto& values = signal.distinct[stage];
            if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
        }
    }
    return signal;
}

void arrange(Dice& dice, std::vector<oracle::Signal>& signals) {
    const auto by_time = [](const oracle::Signal& left, const oracle::Signal& right) { return left.ref < right.ref; };
    const int how = dice.between(0, 3);
    if (how > 0) std::sort(signals.begin(), signals.end(), by_time);
    if (how == 1) return;
    const int swaps = how == 2 ? 2 : 2 * static_cast<int>(signals.size());
    for (int left = swaps; left > 0; --left) {
        const int last = static_cast<int>(signals.size()) - 1;
        std::swap(signals[static_cast<std::size_t>(dice.between(0, last))], signals[static_cast<std::size_t>(dice.between(0, last))]);
    }
}

std::string second_of(engine::Timestamp time) { return std::to_string(std::chrono::floor<seconds>(time).time_since_epoch().count()) + "s"; }
std::string second_of(Duration duration) { return std::to_string(std::chrono::floor<seconds>(duration).count()) + "s"; }

Case drawn(Dice& dice, int signals, int instants, bool crowded) {
    Case c;
    c.pattern = random_pattern(dice, instants);
    if (dice.one_in(8)) c.effective_from = engine::Timestamp{dice.seconds_between(0, instants)};
    for (int number = 0; number < signals; ++number) c.signals.push_back(random_signal(dice, c.pattern, number, instants, crowded));
    if (dice.one_in(12)) {
        c.pattern.required_domains = 2;
        for (auto& signal : c.signals) signal.domain = domains[dice.between(0, 1)];
    }
    arrange(dice, c.signals);
    return c;
}

Case random_case(Dice& dice) {
    const int signals = dice.between(4, 14);
    const bool crowded = dice.one_in(3);
    const int instants = crowded ? dice.between(6, 13) : dice.between(3, 13);
    return drawn(dice, signals, instants, crowded);
}

Case varied_case(Dice& dice) {
    const int instants = dice.between(3, 13);
    Case c;
    do c.pattern = random_pattern(dice, instants);
    while (c.pattern.stages.size() < 2 && !dice.one_in(3));
    const int what = c.pattern.stages.size() == 1 ? 2 : dice.between(1, 7);
    if ((what & 1) != 0) c.pattern.order = engine::Order::any;
    if ((what & 2) != 0) {
        c.pattern.link = engine::LinkMode::chain;
        c.pattern.link_kinds = {kinds[0], kinds[1]};
        if (dice.one_in(2)) c.pattern.link_kinds.emplace_back(kinds[2]);
    }
    for (auto& stage : c.pattern.stages) {
        if ((what & 4) != 0 && dice.one_in(2)) stage.within = dice.seconds_between(0, 4);
    }
    if (c.pattern.order == engine::Order::any) c.pattern.strict = false;
    if (dice.one_in(8)) c.effective_from = engine::Timestamp{dice.seconds_between(0, instants)};
    const bool crowded = dice.one_in(4);
    const int signals = dice.between(4, crowded || c.pattern.stages.size() > 3 ? 7 : 11);
    for (int number = 0; number < signals; ++number) c.signals.push_back(random_signal(dice, c.pattern, number, instants, crowded));
    if (dice.one_in(4)) {
        c.pattern.required_domains = dice.between(1, 3);
        for (auto& signal : c.signals) signal.domain = domains[dice.between(0, 2)];
    }
    arrange(dice, c.signals);
    return c;
}

engine::Absence random_absence(Dice& dice, const engine::Pattern& pattern) {
    using Where = engine::Absence::Where;
    const int last = static_cast<int>(pattern.stages.size()) - 1;
    engine::Absence absence{{}, Where::after, static_cast<std::size_t>(dice.between(0, last)), 0, dice.seconds_between(1, dice.one_in(2) ? 2 : 6)};
    const int where = dice.between(1, last == 0 ? 2 : 4);
    if (where == 1) return absence;
    if (where == 2) {
        absence.where = Where::before;
        return absence;
    }
    int from = dice.between(0, last - 1);
    int to = pattern.link == engine::LinkMode::chain ? from + 1 : dice.between(from + 1, last);
    if (pattern.order == engine::Order::any && pattern.link != engine::LinkMode::chain && dice.one_in(2)) std::swap(from, to);
    return {{}, Where::between, static_cast<std::size_t>(from), static_cast<std::size_t>(to), {}};
}

/// Late: behind the watermark when it came.
void mark_late(Case& c) {
    for (std::size_t i = 0; i < c.signals.size(); ++i) c.signals[i].late = i > 0 && c.signals[i].ref.time < c.watermark_after(i);
}

Case absence_case(Dice& dice) {
    Case c = dice.one_in(3) ? varied_case(dice) : random_case(dice);
    const int instants = 13;
    for (int left = dice.one_in(2) ? 1 : dice.between(1, 3); left > 0; --left) c.pattern.absent.push_back(random_absence(dice, c.pattern));
    const int conditions = static_cast<int>(c.pattern.absent.size());
    for (auto& signal : c.signals) {
        if (!dice.one_in(6)) continue;
        signal.unwanted = static_cast<std::uint8_t>(1u << dice.between(0, conditions - 1));
        if (dice.one_in(3)) signal.stages = 0;
    }
    const auto number = static_cast<int>(c.signals.size());
    for (int more = dice.between(1, 3); more > 0; --more) {
        auto signal = random_signal(dice, c.pattern, number + more, instants, dice.one_in(2));
        signal.stages = 0;
        do signal.unwanted = static_cast<std::uint8_t>(signal.unwanted | 1u << dice.between(0, conditions - 1));
        while (dice.one_in(3));
        const auto place = c.signals.begin() + dice.between(0, static_cast<int>(c.signals.size()));
        c.signals.insert(place, std::move(signal));
    }
    c.lateness = dice.seconds_between(0, 6);
    if (dice.one_in(2)) mark_late(c);
    if (!dice.one_in(3)) c.watermark = engine::Timestamp{dice.seconds_between(0, dice.one_in(2) ? 8 : 24)};
    return c;
}

Case long_case(Dice& dice) {
    Case c;
    const int signals = dice.between(14, 26);
    const int instants = signals * dice.between(2, 4) / 3;
    const bool late_ones = dice.one_in(3);
    do c.pattern = random_pattern(dice, 4);
    while (c.pattern.stages.size() > 3);
    c.pattern.within = dice.seconds_between(1, 4);
    c.pattern.max_span = c.pattern.within + dice.seconds_between(0, 4);
    for (int number = 0; number < signals; ++number) {
        c.signals.push_back(random_signal(dice, c.pattern, number, instants, true));
        c.signals.back().late = late_ones && dice.one_in(8);
    }
    const auto by_time = [](const oracle::Signal& left, const oracle::Signal& right) { return left.ref < right.ref; };
    std::sort(c.signals.begin(), c.signals.end(), by_time);
    if (dice.one_in(2)) return c;
    for (int swaps = dice.between(1, 4); swaps > 0; --swaps) {
        const auto place = static_cast<std::size_t>(dice.between(0, signals - 3));
        std::swap(c.signals[place], c.signals[place + static_cast<std::size_t>(dice.between(1, 2))]);
    }
    return c;
}

}  // namespace

Case random_case(std::uint32_t seed) {
    Dice dice{seed};
    return random_case(dice);
}

Case varied_case(std::uint32_t seed) {
    Dice dice{seed};
    return varied_case(dice);
}

Case absence_case(std::uint32_t seed) {
    Dice dice{seed};
    return absence_case(dice);
}

engine::Timestamp Case::watermark_after(std::size_t count) const {
    engine::Timestamp newest = engine::Timestamp::min() + lateness;
    for (std::size_t i = 0; i < count; ++i) newest = std::max(newest, signals[i].ref.time);
    return count == signals.size() ? std::max(watermark, newest - lateness) : newest - lateness;
}

Case long_case(std::uint32_t seed) {
    Dice dice{seed};
    return long_case(dice);
}

Case case_from(std::span<const std::uint8_t> bytes) {
    Dice dice{bytes};
    switch (dice.between(1, 4)) {
        case 1: return random_case(dice);
        case 2: return varied_case(dice);
        case 3: return long_case(dice);
        default: return absence_case(dice);
    }
}

Case large_case(std::uint32_t seed, int signals) {
    Dice dice{seed};
    return drawn(dice, signals, signals * dice.between(1, 3) / 2, dice.one_in(3));
}

std::string readable(const Case& c) {
    const auto& pattern = c.pattern;
    std::string text = std::string{"pattern: "} + (pattern.order == engine::Order::any ? "any order, " : "") +
                       (pattern.link == engine::LinkMode::chain ? "chain, " : "") + "within " + second_of(pattern.within) + ", max_span " +
                       second_of(pattern.max_span) + (pattern.strict ? ", strict" : "") +
                       (pattern.required_domains ? ", domains " + std::to_string(*pattern.required_domains) : "") + ", link";
    for (const auto& kind : pattern.link_kinds) text += " " + kind;
    if (pattern.link == engine::LinkMode::none) text += " none";
    if (c.effective_from != engine::Timestamp::min()) text += ", effective from " + second_of(c.effective_from);
    for (std::size_t index = 0; index < pattern.stages.size(); ++index) {
        const auto& stage = pattern.stages[index];
        text += "\n  stage " + std::to_string(index) + (stage.optional ? " optional" : "") + (stage.within ? " within " + second_of(*stage.within) : "");
        if (!stage.repeat) continue;
        text += " at least " + std::to_string(stage.repeat->at_least) + (stage.repeat->distinct ? " distinct" : "") + " within " +
                second_of(stage.repeat->within) + " by " + stage.repeat->by;
    }
    for (std::size_t index = 0; index < pattern.absent.size(); ++index) {
        const auto& absence = pattern.absent[index];
        text += "\n  absent " + std::to_string(index);
        if (absence.where == engine::Absence::Where::between) text += " between " + std::to_string(absence.stage) + " and " + std::to_string(absence.until);
        else
            text += (absence.where == engine::Absence::Where::after ? " after " : " before ") + std::to_string(absence.stage) + " within " +
                    second_of(absence.within);
    }
    if (!pattern.absent.empty()) text += "\nlateness " + second_of(c.lateness) + ", in the end the watermark is at least " + second_of(c.watermark);
    text += "\nsignals in order of arrival:";
    for (const auto& signal : c.signals) {
        text += "\n  " + second_of(signal.ref.time) + " " + signal.ref.source + "/" + signal.ref.id + " stages";
        for (std::size_t stage = 0; stage < pattern.stages.size(); ++stage) {
            if ((signal.stages >> stage & 1u) != 0) text += " " + std::to_string(stage);
        }
        for (std::size_t index = 0; index < pattern.absent.size(); ++index) {
            if ((signal.unwanted >> index & 1u) != 0) text += " unwanted " + std::to_string(index);
        }
        for (const auto& entity : signal.entities) text += " " + entity.kind + ":" + std::to_string(entity.number);
        if (signal.count > 1) text += " count " + std::to_string(signal.count);
        for (const auto& values : signal.distinct) {
            for (const auto& value : values) text += " =" + value;
        }
        if (!signal.domain.empty()) text += " " + signal.domain;
        if (signal.late) text += " late";
    }
    return text + "\n";
}

}  // namespace catenary::property
