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
    while (c.pattern.stages.size() < 2);
    const int what = dice.between(1, 7);
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

Case long_case(std::uint32_t seed) {
    Dice dice{seed};
    return long_case(dice);
}

Case case_from(std::span<const std::uint8_t> bytes) {
    Dice dice{bytes};
    const int which = dice.between(1, 3);
    return which == 1 ? random_case(dice) : which == 2 ? varied_case(dice) : long_case(dice);
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
    text += "\nsignals in order of arrival:";
    for (const auto& signal : c.signals) {
        text += "\n  " + second_of(signal.ref.time) + " " + signal.ref.source + "/" + signal.ref.id + " stages";
        for (std::size_t stage = 0; stage < pattern.stages.size(); ++stage) {
            if ((signal.stages >> stage & 1u) != 0) text += " " + std::to_string(stage);
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
