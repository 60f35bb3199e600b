#include "tests/support/lane_story.hpp"
#include "tests/support/seeds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>

// What must not matter does not: arrival order within the lateness, batches, restarts, other tenants. Every case prints its seed.

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

constexpr Duration lateness = 1h;

class Dice {
public:
    explicit Dice(std::uint32_t seed) : random_{seed} {}
    int pick(int low, int high) { return low + static_cast<int>(random_() % static_cast<unsigned>(high - low + 1)); }
    bool chance(int percent) { return pick(1, 100) <= percent; }
    template <class T>
    const T& of(const std::vector<T>& values) {
        return values[static_cast<std::size_t>(pick(0, static_cast<int>(values.size()) - 1))];
    }
    std::mt19937& engine() { return random_; }

private:
    std::mt19937 random_;
};

const std::vector<std::string> names{"a", "b", "c", "d", "e"};

Absence random_absence(Dice& dice, const Pattern& pattern) {
    const auto match = Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, {dice.of(names)}}).value();
    const auto stage = static_cast<std::size_t>(dice.pick(0, static_cast<int>(pattern.stages.size()) - 1));
    if (stage + 1 < pattern.stages.size() && dice.chance(60)) return {match, Absence::Where::between, stage, stage + 1, {}};
    return {match, dice.chance(60) ? Absence::Where::after : Absence::Where::before, stage, 0, dice.of(std::vector<Duration>{10min, 1h, 5h})};
}

/// One to three stages that want one or two names each; repeats, optional stages, short spans.
Pattern random_pattern(Dice& dice, int number) {
    for (;;) {
        std::vector<StageSpec> stages;
        for (int count = dice.pick(1, 3); count > 0; --count) stages.push_back({"stage" + std::to_string(count), dice.chance(15)});
        Pattern pattern = pattern_of("p" + std::to_string(number), stages, dice.of(std::vector<Duration>{10min, 1h, 5h, 24h}),
                                     dice.of(std::vector<std::vector<std::string>>{{"account"}, {"host"}, {"account", "host"}}));
        for (Stage& stage : pattern.stages) {
            std::vector<Scalar> wanted{dice.of(names)};
            if (dice.chance(30)) wanted.push_back(dice.of(names));
            stage.match = Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, wanted}).value();
            if (dice.chance(20)) stage.repeat = Repeat{dice.pick(1, 3), dice.of(std::vector<Duration>{5min, 30min}), pattern.link_kinds.front(), {}};
        }
        pattern.strict = dice.chance(10);
        pattern.severity = static_cast<Severity>(dice.pick(0, 3));
        pattern.mode = dice.chance(15) ? Mode::flighting : Mode::production;
        pattern.max_span = dice.of(std::vector<Duration>{24h, 14 * 24h});
        if (dice.chance(35)) pattern.absent.push_back(random_absence(dice, pattern));
        if (Pattern::check(pattern).empty()) return pattern;
    }
}

/// Signals in bursts over hours or weeks; times are coarse, so that many are equal.
std::vector<Signal> random_signals(Dice& dice, int count, Duration span) {
    const std::vector<std::string> accounts{"alice", "bob", "carol"};
    const std::vector<std::string> hosts{"h1", "h2"};
    const std::vector<Duration> bursts{span * dice.pick(0, 9) / 10, span * dice.pick(0, 9) / 10, span * dice.pick(0, 9) / 10};
    std::vector<Signal> signals;
    for (int i = 0; i < count; ++i) {
        Signal signal = signal_of(dice.of(names), dice.of(bursts) + dice.pick(0, 60) * 2min, "", dice.of(std::vector<double>{0.05, 0.35, 0.6, 0.9}));
        signal.id = "s" + std::to_string(dice.pick(0, 9)) + "-" + std::to_string(i);
        signal.source = dice.of(std::vector<std::string>{"x", "y"});
        signal.domain = dice.of(std::vector<std::string>{"identity", "email", "endpoint"});
        signal.tactics = {dice.of(std::vector<std::string>{"TA0001", "TA0003", "TA0010"})};
        if (dice.chance(85)) signal.entities.push_back({"account", dice.of(accounts), "", true});
        if (dice.chance(15)) signal.entities.push_back({"account", "root", "", false});
        if (dice.chance(60)) signal.entities.push_back({"host", dice.of(hosts), "", true});
        signals.push_back(std::move(signal));
    }
    return signals;
}

struct Case {
    Catalogue shipped;
    std::vector<Signal> punctual;  ///< arrive in time
    PatternChange posted;          ///< then a pattern is posted
    std::vector<Signal> late;      ///< then these come, all behind the watermark
    Timestamp end;                 ///< of all of it
    std::int64_t daily_incidents;  ///< of a pattern that stand alone

    LaneStory begin() const {
        LaneStory story{shipped};
        SettingChange setting;
        setting.daily_incidents = daily_incidents;
        story.entry({Position{0}, TenantId{1}, story_day(), setting});
        return story;
    }
};

Case random_case(std::uint32_t seed) {
    Dice dice{seed};
    Case result;
    for (int i = dice.pick(1, 4); i > 0; --i) result.shipped.push_back(shared(random_pattern(dice, i)));
    const Duration span = dice.of(std::vector<Duration>{2h, 12h, 3 * 24h, 40 * 24h});
    result.punctual = random_signals(dice, dice.pick(8, 30), span);
    result.posted = PatternChange{shared(random_pattern(dice, 9)), {}};
    result.end = story_day() + span + 24h;
    result.late = random_signals(dice, dice.chance(50) ? dice.pick(1, 8) : 0, span);
    for (Signal& signal : result.late) signal.id = "late-" + signal.id;
    result.daily_incidents = seed % 3 == 0 ? 10'000 : 1 + seed / 3 % 3;
    return result;
}

/// An order of arrival in which nothing comes later than the lateness allows.
std::vector<LogEntry> arrival(const Case& it, std::uint32_t seed) {
    Dice dice{seed};
    std::vector<std::pair<Timestamp, const Signal*>> order;
    for (const Signal& signal : it.punctual) order.emplace_back(signal.time + lateness * dice.pick(0, 100) / 100, &signal);
    std::sort(order.begin(), order.end(), [](const auto& left, const auto& right) { return left.first < right.first; });
    std::vector<LogEntry> log;
    const auto append = [&](Timestamp admitted, auto body) {
        log.push_back({Position{static_cast<std::int64_t>(log.size()) + 1}, TenantId{1}, admitted, std::move(body)});
    };
    for (const auto& [admitted, signal] : order) append(admitted, *signal);
    append(it.end, ControlBody{WatermarkCall{it.end, true}});
    append(it.end, ControlBody{it.posted});
    std::vector<Signal> late = it.late;
    std::shuffle(late.begin(), late.end(), dice.engine());
    for (const Signal& signal : late) append(it.end, signal);
    append(it.end + 1h, ControlBody{WatermarkCall{it.end + 1h, false}});
    return log;
}

IncidentEdit random_edit(Dice& dice, IncidentNumber number) {
    IncidentEdit edit;
    edit.number = number;
    edit.actor = "key";
    if (dice.chance(70)) edit.status = dice.of(std::vector<IncidentStatus>{IncidentStatus::closed, IncidentStatus::closed, IncidentStatus::active});
    if (dice.chance(30)) edit.classification = Classification::benign_positive;
    if (dice.chance(20)) edit.owner = dice.of(names);
    if (dice.chance(20)) edit.title = "renamed " + dice.of(names);
    if (dice.chance(20)) edit.labels = std::vector<std::string>{dice.of(names)};
    return edit;
}

/// Whom signals may link by from now on.
ControlBody random_link_decision(Dice& dice) {
    if (dice.chance(20)) return SettingChange{.lateness = {}, .base_rate = {}, .unlinkable_limit = dice.pick(1, 2), .group_within = {}, .window_signals = {}};
    if (dice.chance(20)) {
        SettingChange change;
        change.daily_incidents = dice.pick(1, 4);
        return change;
    }
    const EntityKey entity = dice.of(std::vector<EntityKey>{{"account", "alice"}, {"account", "bob"}, {"host", "h1"}, {"host", "h2"}});
    return EntityChange{entity, dice.of(std::vector<LinkRule>{LinkRule::deny, LinkRule::deny, LinkRule::usual})};
}

IncidentSplit random_split(Dice& dice, Stored& stored, IncidentNumber number) {
    IncidentSplit split{.number = number, .findings = {}, .reason = "", .actor = "key"};
    for (const FindingRecord& finding : stored.live_findings()) {
        if (finding.incident == number && dice.chance(50)) split.findings.push_back(finding.id);
    }
    return split;
}

/// A pattern that ships is stopped, or goes on in another mode, for what comes or for some of the past.
PatternChange random_deployment(Dice& dice, const Catalogue& shipped, Timestamp now) {
    PatternChange change{dice.of(shipped), {}, dice.of(std::vector<Mode>{Mode::off, Mode::off, Mode::flighting, Mode::production})};
    if (dice.chance(50)) change.effective_from = now - dice.of(std::vector<Duration>{0h, 5h, 24h, 40 * 24h});
    return change;
}

/// The same log with people at work: incidents are closed, reopened, renamed, merged, split and remarked on at random, patterns stopped and deployed again.
std::vector<LogEntry> with_edits(const Case& it, const std::vector<LogEntry>& log, std::uint32_t seed) {
    Dice dice{seed};
    LaneStory story = it.begin();
    std::vector<LogEntry> edited;
    const auto append = [&](LogEntry entry) {
        entry.position = Position{static_cast<std::int64_t>(edited.size()) + 1};
        story.entry(entry);
        edited.push_back(std::move(entry));
    };
    for (const LogEntry& entry : log) {
        append(entry);
        if (!dice.chance(25)) continue;
        const IncidentNumber number{dice.pick(1, 4)};
        const auto decide = [&]() -> ControlBody {
            switch (dice.pick(0, 8)) {
                case 0:
                    return IncidentMerge{
                        .into = number, .numbers = {IncidentNumber{dice.pick(1, 4)}, IncidentNumber{dice.pick(1, 4)}}, .reason = "r", .actor = "key"};
                case 1: return random_split(dice, story.stored(), number);
                case 2: return IncidentComment{number, "remark", "key"};
                case 3: return random_link_decision(dice);
                case 4:
                case 5: return random_deployment(dice, it.shipped, entry.admitted);
                default: return random_edit(dice, number);
            }
        };
        append({Position{}, TenantId{1}, entry.admitted, decide()});
    }
    return edited;
}

/// Once nothing waits to be matched again: what waits at the end of a log depends on its order, since so many re-matches are made in a minute.
std::string digest_of(const Case& it, const std::vector<LogEntry>& log) {
    LaneStory story = it.begin();
    for (const LogEntry& entry : log) story.entry(entry);
    return story.at(log.back().admitted).finish_rematches().digest();
}

}  // namespace

TEST_CASE("property: arrival order within the lateness, and the order of late signals, do not show in the digest") {
    const auto tried = catenary::tests::seeds(0, 1'500);
    std::size_t with_findings = 0;
    for (const auto seed : tried) {
        CAPTURE(seed);
        const Case it = random_case(seed);
        const std::string expected = digest_of(it, arrival(it, seed));
        for (std::uint32_t variant = 1; variant <= 3; ++variant) {
            CAPTURE(variant);
            REQUIRE(digest_of(it, arrival(it, seed + variant * 1'000'003U)) == expected);
        }
        with_findings += expected != it.begin().digest() ? 1 : 0;
    }
    CHECK(with_findings > tried.size() / 2);  // the cases are about something
}

namespace {

/// Merges and splits named by findings, since numbers depend on the order of arrival.
struct Decision {
    FindingId into;
    std::vector<FindingId> findings;  ///< of a merge: one of each other incident
    bool is_split = false;
};

std::optional<IncidentNumber> incident_of(const Stored& stored, const FindingId& finding) {
    const auto found = stored.findings.find(finding);
    return found == stored.findings.end() ? std::nullopt : found->second.incident;
}

std::vector<Decision> random_decisions(Dice& dice, Stored& stored) {
    const auto findings = stored.live_findings();
    std::vector<FindingId> grouped;
    for (const FindingRecord& finding : findings) {
        if (finding.incident) grouped.push_back(finding.id);
    }
    std::vector<Decision> decisions;
    for (int more = grouped.empty() ? 0 : dice.pick(1, 4); more > 0; --more) {
        Decision decision{dice.of(grouped), {dice.of(grouped)}, dice.chance(50)};
        if (dice.chance(50)) decision.findings.push_back(dice.of(grouped));
        decisions.push_back(std::move(decision));
    }
    return decisions;
}

/// How many had an effect.
std::size_t decide(LaneStory& story, const std::vector<Decision>& decisions) {
    std::size_t effective = 0;
    for (const Decision& it : decisions) {
        const auto into = incident_of(story.stored(), it.into);
        if (!into) continue;
        const std::string before = story.digest();
        if (it.is_split) {
            story.control(IncidentSplit{.number = *into, .findings = it.findings, .reason = "", .actor = "key"});
        } else {
            IncidentMerge merge{.into = *into, .numbers = {}, .reason = "", .actor = "key"};
            for (const FindingId& finding : it.findings) {
                if (const auto number = incident_of(story.stored(), finding)) merge.numbers.push_back(*number);
            }
            story.control(merge);
        }
        effective += story.digest() != before ? 1u : 0u;
    }
    return effective;
}

/// What one order of arrival, of several, leads to. Two thirds of the signals come before the decisions, the others after them.
class DecidedStory {
public:
    explicit DecidedStory(std::uint32_t seed) : seed_{seed}, dice_{seed}, case_{random_case(seed)} {
        auto& punctual = case_.punctual;
        std::sort(punctual.begin(), punctual.end(), [](const Signal& left, const Signal& right) { return left.time < right.time; });
        middle_ = punctual[punctual.size() * 2 / 3].time;
    }

    /// The digest at the end. The first run draws the decisions, unless there are to be none.
    std::string run(std::uint32_t variant, bool decides = true) {
        Dice order{seed_ + variant * 1'000'003U};
        LaneStory story = case_.begin();
        arrive(story, order, true);
        if (decides && !decisions_) decisions_ = random_decisions(dice_, story.stored());
        effective_ = decides ? decide(story, *decisions_) : 0;
        arrive(story, order, false);
        story.at(case_.end).control(WatermarkCall{case_.end, true}).control(case_.posted);
        std::vector<Signal> late = case_.late;
        std::shuffle(late.begin(), late.end(), order.engine());
        for (const Signal& signal : late) story.signal(signal);
        story.control(WatermarkCall{case_.end + 1h, false});
        return story.finish_rematches().digest();
    }
    /// How many decisions of the last run had an effect.
    std::size_t effective() const { return effective_; }

private:
    void arrive(LaneStory& story, Dice& order, bool before) const {
        std::vector<std::pair<Timestamp, const Signal*>> arriving;
        for (const Signal& signal : case_.punctual) {
            if ((signal.time < middle_) == before) arriving.emplace_back(signal.time + lateness * order.pick(0, 100) / 100, &signal);
        }
        std::sort(arriving.begin(), arriving.end(), [](const auto& left, const auto& right) { return left.first < right.first; });
        for (const auto& [admitted, signal] : arriving) story.signal(*signal);
    }

    std::uint32_t seed_;
    Dice dice_;
    Case case_;
    Timestamp middle_;
    std::optional<std::vector<Decision>> decisions_;
    std::size_t effective_ = 0;
};

}  // namespace

TEST_CASE("property: merges and splits by hand hold whatever order signals arrive in before and after them") {
    const auto tried = catenary::tests::seeds(40'000, 1'500);
    std::size_t merged_or_split = 0;
    std::size_t shown = 0;
    for (const auto seed : tried) {
        CAPTURE(seed);
        DecidedStory story{seed};
        const std::string expected = story.run(0);
        merged_or_split += story.effective();
        for (std::uint32_t variant = 1; variant <= 3; ++variant) {
            CAPTURE(variant);
            REQUIRE(story.run(variant) == expected);
        }
        shown += story.run(4, false) != expected ? 1u : 0u;
    }
    CHECK(merged_or_split > tried.size() / 5);
    CHECK(shown > tried.size() / 10);  // they are remembered to the end
}

/// Found by longer runs, and mended.
TEST_CASE("merges and splits by hand hold in the orders that once showed") {
    // 819442: an incident at the edge of what is in memory was merged in one order and refused in another. The others: incidents ended while signals waited
    // to be matched again that belonged to them, or should have been absent.
    for (const std::uint32_t seed : {819'442U, 87'040'102U, 91'040'280U, 91'042'625U}) {
        CAPTURE(seed);
        DecidedStory story{seed};
        const std::string expected = story.run(0);
        for (std::uint32_t variant = 1; variant <= 3; ++variant) {
            CAPTURE(variant);
            CHECK(story.run(variant) == expected);
        }
    }
}

TEST_CASE("property: decisions about links hold by event time, whatever stragglers arrive after them") {
    int shown = 0;
    int stragglers = 0;
    for (std::uint32_t seed = 50'000; seed < 51'500; ++seed) {
        CAPTURE(seed);
        Dice dice{seed};
        Case it = random_case(seed);
        std::sort(it.punctual.begin(), it.punctual.end(), [](const Signal& left, const Signal& right) { return left.time < right.time; });
        // Each is made when the newest signal so far has just arrived, so that every order of arrival has the same signals later than all before it.
        std::map<std::size_t, std::vector<ControlBody>> decisions;
        for (int more = dice.pick(1, 3); more > 0; --more) {
            decisions[static_cast<std::size_t>(dice.pick(0, static_cast<int>(it.punctual.size()) - 1))].push_back(random_link_decision(dice));
        }
        const auto run = [&](std::uint32_t variant, bool decided) {
            Dice order{seed + variant * 1'000'003U};
            std::vector<std::pair<Timestamp, std::size_t>> arriving;
            for (std::size_t i = 0; i < it.punctual.size(); ++i) {
                const Duration delay = decisions.contains(i) ? Duration::zero() : Duration{lateness * order.pick(0, 100) / 100};
                arriving.emplace_back(it.punctual[i].time + delay, i);
            }
            std::stable_sort(arriving.begin(), arriving.end(), [](const auto& left, const auto& right) { return left.first < right.first; });
            LaneStory story = it.begin();
            std::optional<Timestamp> last_decision;
            for (const auto& [admitted, i] : arriving) {
                story.signal(it.punctual[i]);
                stragglers += last_decision && it.punctual[i].time < *last_decision ? 1 : 0;
                if (!decided || !decisions.contains(i)) continue;
                for (const ControlBody& decision : decisions.at(i)) story.control(decision);
                last_decision = it.punctual[i].time;
            }
            story.at(it.end).control(WatermarkCall{it.end, true}).control(it.posted);
            std::vector<Signal> late = it.late;
            std::shuffle(late.begin(), late.end(), order.engine());
            for (const Signal& signal : late) story.signal(signal);
            story.control(WatermarkCall{it.end + 1h, false});
            return story.finish_rematches().digest();
        };
        const std::string expected = run(0, true);
        for (std::uint32_t variant = 1; variant <= 3; ++variant) {
            CAPTURE(variant);
            REQUIRE(run(variant, true) == expected);
        }
        shown += run(4, false) != expected ? 1 : 0;
    }
    CHECK(shown > 250);
    CHECK(stragglers > 1'000);
}

TEST_CASE("property: when effects are taken does not show in the digest or in what is stored") {
    for (const auto seed : catenary::tests::seeds(10'000, 1'000)) {
        CAPTURE(seed);
        const Case it = random_case(seed);
        const auto log = with_edits(it, arrival(it, seed), seed);
        LaneStory often = it.begin();
        LaneStory once = it.begin();
        for (const LogEntry& entry : log) {
            often.entry(entry);
            often.take();
            once.entry(entry);
        }
        REQUIRE(often.digest() == once.digest());
        const Stored& left = often.stored();
        const Stored& right = once.stored();
        REQUIRE(left.late == right.late);
        REQUIRE(left.incidents.size() == right.incidents.size());
        for (const auto& [number, record] : left.incidents) {
            CAPTURE(number.value());
            const IncidentRecord& other = right.incidents.at(number);
            REQUIRE(record == other);
            REQUIRE(left.history(number) == right.history(number));
        }
        const auto findings = left.live_findings();
        REQUIRE(findings.size() == right.live_findings().size());
        for (const FindingRecord& finding : findings) {
            REQUIRE(right.findings.contains(finding.id));
            REQUIRE(as_text(right.findings.at(finding.id)) == as_text(finding));
            REQUIRE(left.evidence.at(finding.id) == right.evidence.at(finding.id));
            REQUIRE(left.evidence.at(finding.id).size() == static_cast<std::size_t>(finding.evidence_total));
        }
    }
}

TEST_CASE("property: a lane that starts again from the log goes on with the same effects, byte for byte") {
    for (const auto seed : catenary::tests::seeds(20'000, 1'000)) {
        CAPTURE(seed);
        Dice dice{seed};
        const Case it = random_case(seed);
        const auto log = with_edits(it, arrival(it, seed), seed);
        const auto restart = static_cast<std::size_t>(dice.pick(1, static_cast<int>(log.size()) - 1));
        LaneStory kept = it.begin();
        LaneStory restarted = it.begin();
        for (std::size_t i = 0; i < log.size(); ++i) {
            // The one that starts again takes nothing before its restart, the other one has written all along.
            kept.entry(log[i]);
            restarted.entry(log[i]);
            if (i + 1 < restart) kept.take();
            if (i + 1 == restart) {
                kept.take();
                restarted.take();
            }
            if (i + 1 > restart) {
                const std::string left = as_text(kept.lane().take_effects());
                REQUIRE(as_text(restarted.lane().take_effects()) == left);
            }
        }
        REQUIRE(kept.digest() == restarted.digest());
    }
}

TEST_CASE("property: another tenant's entries show nowhere") {
    for (const auto seed : catenary::tests::seeds(30'000, 300)) {
        CAPTURE(seed);
        Dice dice{seed};
        const Case it = random_case(seed);
        const auto log = arrival(it, seed);
        LaneStory alone = it.begin();
        LaneStory shared_lane = it.begin();
        for (const LogEntry& entry : log) {
            alone.entry(entry);
            for (int more = dice.pick(0, 2); more > 0; --more) {
                LogEntry foreign = dice.of(log);
                foreign.tenant = TenantId{2};
                if (auto* signal = std::get_if<Signal>(&foreign.body)) signal->id += "-" + std::to_string(shared_lane.log().size());
                shared_lane.entry(foreign);
            }
            shared_lane.entry(entry);
        }
        REQUIRE(alone.digest() == shared_lane.digest());
        const auto& left = alone.stored(TenantId{1}).incidents;
        const auto& right = shared_lane.stored(TenantId{1}).incidents;
        REQUIRE(left.size() == right.size());
        for (const auto& [number, record] : left) REQUIRE(right.at(number).revision == record.revision);
    }
}
