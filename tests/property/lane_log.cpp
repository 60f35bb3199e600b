#include "tests/property/lane_log.hpp"

#include <algorithm>
#include <random>

namespace catenary::property {
namespace {

using namespace engine;
using namespace test;
using namespace std::chrono_literals;

class Dice {
public:
    explicit Dice(std::uint32_t seed) : random_{seed} {}
    int pick(int low, int high) { return low + static_cast<int>(random_() % static_cast<unsigned>(high - low + 1)); }
    bool chance(int percent) { return pick(1, 100) <= percent; }
    template <class T>
    T of(const std::vector<T>& values) {
        return values[static_cast<std::size_t>(pick(0, static_cast<int>(values.size()) - 1))];
    }

private:
    std::mt19937 random_;
};

const std::vector<std::string> names{"a", "b", "c", "d"};

Absence random_absence(Dice& dice, const Pattern& pattern) {
    const auto match = Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, {dice.of(names)}}).value();
    const auto stage = static_cast<std::size_t>(dice.pick(0, static_cast<int>(pattern.stages.size()) - 1));
    if (stage + 1 < pattern.stages.size() && dice.chance(60)) return {match, Absence::Where::between, stage, stage + 1, {}};
    return {match, dice.chance(60) ? Absence::Where::after : Absence::Where::before, stage, 0, dice.of(std::vector<Duration>{10min, 1h, 5h})};
}

Pattern random_pattern(Dice& dice, const std::string& id, int version) {
    for (;;) {
        std::vector<StageSpec> stages;
        for (int count = dice.pick(1, 3); count > 0; --count) stages.push_back({"stage" + std::to_string(count), dice.chance(15)});
        Pattern pattern = pattern_of(id, stages, dice.of(std::vector<Duration>{10min, 1h, 5h, 24h}),
                                     dice.of(std::vector<std::vector<std::string>>{{"account"}, {"host"}, {"account", "host"}, {}}));
        if (dice.chance(20)) pattern.order = Order::any;
        if (dice.chance(15) && !pattern.link_kinds.empty()) pattern.link = LinkMode::chain;
        for (Stage& stage : pattern.stages) {
            std::vector<Scalar> wanted{dice.of(names)};
            if (dice.chance(40)) wanted.push_back(dice.of(names));
            stage.match = Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, wanted}).value();
            if (dice.chance(10)) stage.within = 30min;
            if (pattern.link_kinds.empty() || !dice.chance(25)) continue;
            stage.repeat = Repeat{dice.pick(1, 3), dice.of(std::vector<Duration>{5min, 30min}), pattern.link_kinds.front(), {}};
            if (dice.chance(50)) stage.repeat->distinct = Field::parse("attributes.target").value();
        }
        pattern.version = version;
        pattern.strict = dice.chance(10);
        pattern.severity = static_cast<Severity>(dice.pick(0, 3));
        pattern.mode = dice.chance(15) ? Mode::flighting : Mode::production;
        pattern.max_span = std::max(pattern.within, dice.of(std::vector<Duration>{10min, 1h, 24h, 14 * 24h}));
        if (dice.chance(15)) pattern.required_domains = 2;
        if (dice.chance(35)) pattern.absent.push_back(random_absence(dice, pattern));
        if (Pattern::check(pattern).empty()) return pattern;
    }
}

Signal random_signal(Dice& dice, Timestamp now, int number) {
    Signal signal = signal_of(dice.of(names), 0min, "", dice.of(std::vector<double>{0.05, 0.35, 0.6, 0.9}));
    const Duration back = dice.chance(70) ? Duration{0} : dice.of(std::vector<Duration>{2min, 20min, 50min, 3h, 30h});
    signal.time = now - back;
    signal.id = "s" + std::to_string(dice.pick(0, 9)) + "-" + std::to_string(number);
    signal.source = dice.of(std::vector<std::string>{"x", "y"});
    signal.domain = dice.of(std::vector<std::string>{"identity", "email", "endpoint"});
    signal.tactics = {dice.of(std::vector<std::string>{"TA0001", "TA0003", "TA0010"})};
    signal.count = dice.pick(1, 2);
    if (dice.chance(85)) signal.entities.push_back({"account", dice.of(std::vector<std::string>{"alice", "bob", "carol"}), "", true});
    if (dice.chance(10)) signal.entities.push_back({"account", "root", "", false});
    if (dice.chance(60)) signal.entities.push_back({"host", dice.of(std::vector<std::string>{"h1", "h2"}), "", true});
    if (dice.chance(60)) signal.attributes.push_back({"target", AttributeValue{std::string{"t"} + std::to_string(dice.pick(0, 3))}});
    return signal;
}

ControlBody random_edit(Dice& dice, IncidentNumber number) {
    IncidentEdit edit;
    edit.number = number;
    edit.actor = "key";
    if (dice.chance(70)) edit.status = dice.of(std::vector<IncidentStatus>{IncidentStatus::closed, IncidentStatus::closed, IncidentStatus::active});
    if (dice.chance(30)) edit.classification = Classification::benign_positive;
    if (dice.chance(20)) edit.owner = dice.of(names);
    if (dice.chance(20)) edit.title = "renamed " + dice.of(names);
    if (dice.chance(20)) edit.severity = Severity::low;
    if (dice.chance(20)) edit.labels = std::vector<std::string>{dice.of(names)};
    return edit;
}

ControlBody random_split(Dice& dice, const Stored& stored, IncidentNumber number) {
    IncidentSplit split{.number = number, .findings = {}, .reason = "r", .actor = "key"};
    for (const FindingRecord& finding : stored.live_findings()) {
        if (finding.incident == number && dice.chance(50)) split.findings.push_back(finding.id);
    }
    return split;
}

ControlBody random_setting(Dice& dice) {
    SettingChange change;
    if (dice.chance(40)) change.base_rate = dice.of(std::vector<double>{0.005, 0.02});
    if (dice.chance(40)) change.group_within = dice.of(std::vector<Duration>{1h, 48h});
    if (dice.chance(30)) change.lateness = dice.of(std::vector<Duration>{10min, 2h});
    if (dice.chance(30)) change.unlinkable_limit = dice.pick(0, 8);
    if (dice.chance(50)) change.daily_incidents = dice.pick(1, 3);
    if (dice.chance(30)) change.incident_entities = dice.pick(1, 4);
    return change;
}

ControlBody random_link_rule(Dice& dice) {
    const auto rule = dice.of(std::vector<LinkRule>{LinkRule::deny, LinkRule::deny, LinkRule::usual, LinkRule::allow});
    return EntityChange{dice.of(std::vector<EntityKey>{{"account", "alice"}, {"account", "bob"}, {"host", "h1"}, {"host", "never-seen"}}), rule};
}

ControlBody random_control(Dice& dice, const Stored& stored, Timestamp now, int number) {
    const IncidentNumber incident{dice.pick(1, static_cast<int>(std::max<std::size_t>(stored.incidents.size(), 1)))};
    const IncidentNumber other{dice.pick(1, static_cast<int>(std::max<std::size_t>(stored.incidents.size(), 1)))};
    switch (dice.pick(0, 13)) {
        case 0:
        case 1: return IncidentMerge{.into = incident, .numbers = {other}, .reason = "r", .actor = "key"};
        case 2:
        case 3: return random_split(dice, stored, incident);
        case 4: return IncidentComment{incident, "remark", "key"};
        case 5: return random_setting(dice);
        case 6: return PatternChange{shared(random_pattern(dice, dice.of(std::vector<std::string>{"p1", "own"}), number)), {}};
        case 7: return WatermarkCall{now - 10min, dice.chance(20)};
        case 8: return Tick{};
        case 9:
        case 10: return random_link_rule(dice);
        default: return random_edit(dice, incident);
    }
}

}  // namespace

Catalogue LaneLog::posted() const {
    Catalogue patterns;
    for (const LogEntry& entry : entries) {
        const auto* body = std::get_if<ControlBody>(&entry.body);
        const auto* change = body == nullptr ? nullptr : std::get_if<PatternChange>(body);
        if (change != nullptr) patterns.push_back(change->pattern);
    }
    return patterns;
}

namespace {

ControlBody few_incidents(std::uint32_t seed) {
    SettingChange change;
    change.daily_incidents = 1 + seed / 3 % 3;
    return change;
}

}  // namespace

LaneLog random_lane_log(std::uint32_t seed, int entries) {
    Dice dice{seed};
    LaneLog log;
    for (int i = dice.pick(1, 4); i > 0; --i) log.shipped.push_back(shared(random_pattern(dice, "p" + std::to_string(i), 1)));
    LaneStory story{log.shipped};
    Timestamp now = story_day();
    for (int i = 1; i <= entries; ++i) {
        now += dice.chance(50) ? Duration{0} : dice.chance(90) ? Duration{dice.pick(1, 15) * 1min} : dice.of(std::vector<Duration>{5h, 26h, 5 * 24h});
        const TenantId tenant{dice.chance(85) ? 1 : 2};
        LogEntry entry{Position{i}, tenant, now, Tick{}};
        if (i == 1 && seed % 3 == 1) entry.body = few_incidents(seed);
        else if (dice.chance(80)) entry.body = random_signal(dice, now, i);
        else entry.body = random_control(dice, story.stored(tenant), now, i);
        story.entry(entry);
        log.entries.push_back(std::move(entry));
    }
    return log;
}

}  // namespace catenary::property
