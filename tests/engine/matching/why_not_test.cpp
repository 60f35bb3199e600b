#include "engine/matching/why_not.hpp"
#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

using Reason = WhyNot::Reason;

/// Signals of alice by name and time, in order of time.
class Story {
public:
    Story& at(Duration after, const std::string& name, const std::string& account = "alice") { return add(signal_of(name, after, account)); }
    Story& add(Signal signal, bool behind_horizon = false) {
        signals_.push_back({std::move(signal), behind_horizon});
        return *this;
    }
    WhyNot asked(const Pattern& pattern, std::set<EntityKey> denied = {}) {
        return why_not(pattern, {.entity = {"account", "alice"}, .signals = signals_, .denied = std::move(denied)});
    }

private:
    std::vector<SeenSignal> signals_;
};

Pattern two(Duration within = 10h) { return pattern_of("p", {{"a"}, {"b"}}, within); }
Pattern three(Duration within = 10h) { return pattern_of("p", {{"a"}, {"b"}, {"c"}}, within); }

std::vector<std::string> stages(const WhyNot& answer) {
    std::vector<std::string> ids;
    for (const auto& one : answer.reached) ids.push_back(one.stage);
    return ids;
}
using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("why not: it did match") {
    const auto answer = Story{}.at(0h, "a").at(1h, "b").at(2h, "c").asked(three());
    CHECK(answer.reason == Reason::matched);
    CHECK(answer.stage.empty());
}

TEST_CASE("why not: no signal of the stage") {
    const auto answer = Story{}.at(0h, "a").at(1h, "b").at(2h, "other").asked(three());
    CHECK(answer.reason == Reason::no_signal);
    CHECK(answer.stage == "c");
    CHECK(stages(answer) == Ids{"a", "b"});
    CHECK(answer.reached[1].signal.id == "b-alice-3600000000");
    CHECK_FALSE(answer.closest);
    const auto nothing = Story{}.asked(three());
    CHECK(nothing.reason == Reason::no_signal);
    CHECK(nothing.stage == "a");
    CHECK(nothing.reached.empty());
}

TEST_CASE("why not: the stage came too late, by so much") {
    const auto answer = Story{}.at(0h, "a").at(1h, "b").at(10h + 3min, "c").at(20h, "c").asked(three());
    CHECK(answer.reason == Reason::span_too_long);
    CHECK(answer.stage == "c");
    CHECK(answer.by == Duration{3min});
    CHECK(answer.limit == Duration{10h});
    REQUIRE(answer.closest);
    CHECK(answer.closest->time == story_day() + 10h + 3min);
    CHECK(Story{}.at(0h, "a").at(1h, "b").at(10h, "c").asked(three()).reason == Reason::matched);  // inclusive
}

TEST_CASE("why not: the stage came too long after the one before") {
    auto pattern = three();
    pattern.stages[2].within = 30min;
    const auto answer = Story{}.at(0h, "a").at(1h, "b").at(93min, "c").asked(pattern);
    CHECK(answer.reason == Reason::gap_too_long);
    CHECK(answer.stage == "c");
    CHECK(answer.by == Duration{3min});
    CHECK(answer.limit == Duration{30min});
}

TEST_CASE("why not: wrong order, by so much") {
    const auto answer = Story{}.at(0h, "b").at(5min, "a").asked(two());
    CHECK(answer.reason == Reason::wrong_order);
    CHECK(answer.stage == "b");
    CHECK(answer.by == Duration{5min});
    CHECK(stages(answer) == Ids{"a"});
}

TEST_CASE("why not: the same instant, where the pattern is strict or one signal would serve twice") {
    auto strict = two();
    strict.strict = true;
    CHECK(Story{}.at(0h, "a").at(0h, "b").asked(strict).reason == Reason::same_instant);
    CHECK(Story{}.at(0h, "a").at(0h, "b").asked(two()).reason == Reason::matched);
    CHECK(Story{}.at(0h, "a").asked(pattern_of("p", {{"a"}, {"a"}}, 1h)).reason == Reason::same_instant);
}

TEST_CASE("why not: the stage is of somebody else") {
    const auto answer = Story{}.at(0h, "a").at(1h, "b", "bob").asked(two());
    CHECK(answer.reason == Reason::not_linked);
    CHECK(answer.stage == "b");
    REQUIRE(answer.closest);
    CHECK(answer.closest->id == "b-bob-3600000000");
}

TEST_CASE("why not: a link from entity to entity is missing") {
    auto chain = pattern_of("p", {{"a"}, {"b"}}, 10h, {"account", "host"});
    chain.link = LinkMode::chain;
    auto b = signal_of("b", 1h, "bob");
    CHECK(Story{}.at(0h, "a").add(b).asked(chain).reason == Reason::not_linked);
    auto a = signal_of("a", 0h, "alice");
    a.entities.push_back({"host", "ws-1", "", true});
    b.entities.push_back({"host", "ws-1", "", true});
    CHECK(Story{}.add(a).add(b).asked(chain).reason == Reason::matched);
}

TEST_CASE("why not: the entity does not link") {
    const auto denied = Story{}.at(0h, "a").at(1h, "b").asked(two(), {{"account", "alice"}});
    CHECK(denied.reason == Reason::hub);
    CHECK(denied.stage == "a");
    auto nobody = signal_of("b", 1h, "alice");
    nobody.entities[0].identifies = false;
    const auto answer = Story{}.at(0h, "a").add(nobody).asked(two());
    CHECK(answer.reason == Reason::hub);
    CHECK(answer.stage == "b");
}

TEST_CASE("why not: the signal names too many") {
    auto crowd = signal_of("b", 1h, "alice");
    for (int i = 0; i < 20; ++i) crowd.entities.push_back({"account", "user-" + std::to_string(i), "", true});
    const auto answer = Story{}.at(0h, "a").add(crowd).asked(two());
    CHECK(answer.reason == Reason::fan_out);
    CHECK(answer.stage == "b");
    CHECK(answer.counted == 21);
    CHECK(answer.needed == 8);
}

TEST_CASE("why not: not often enough, so many of so many") {
    auto pattern = two();
    pattern.stages[0].repeat = Repeat{.at_least = 50, .within = 30min, .by = "account", .distinct = {}};
    Story story;
    for (int i = 0; i < 31; ++i) story.at(std::chrono::seconds{i}, "a");
    for (int i = 0; i < 30; ++i) story.at(5h + std::chrono::seconds{i}, "a");
    const auto answer = story.asked(pattern);
    CHECK(answer.reason == Reason::not_enough);
    CHECK(answer.stage == "a");
    CHECK(answer.counted == 31);
    CHECK(answer.needed == 50);
    CHECK(answer.limit == Duration{30min});
}

TEST_CASE("why not: not enough different values") {
    auto pattern = two();
    pattern.stages[0].repeat = Repeat{.at_least = 3, .within = 30min, .by = "account", .distinct = Field::parse("entities.ip").value()};
    Story story;
    for (int i = 0; i < 10; ++i) {
        auto signal = signal_of("a", std::chrono::seconds{i}, "alice");
        signal.entities.push_back({"ip", i % 2 == 0 ? "192.0.2.1" : "192.0.2.2", "", true});
        story.add(signal);
    }
    const auto answer = story.asked(pattern);
    CHECK(answer.reason == Reason::not_enough);
    CHECK(answer.counted == 2);
    CHECK(answer.needed == 3);
}

TEST_CASE("why not: from too few domains") {
    auto pattern = two();
    pattern.required_domains = 2;
    auto a = signal_of("a", 0h, "alice"), b = signal_of("b", 1h, "alice");
    CHECK(Story{}.add(a).add(b).asked(pattern).reason == Reason::matched);
    a.domain = b.domain = "identity";
    const auto answer = Story{}.add(a).add(b).asked(pattern);
    CHECK(answer.reason == Reason::too_few_domains);
    CHECK(answer.counted == 1);
    CHECK(answer.needed == 2);
}

TEST_CASE("why not: it came when its time was forgotten") {
    const auto answer = Story{}.at(0h, "a").add(signal_of("b", 1h, "alice"), true).asked(two());
    CHECK(answer.reason == Reason::behind_horizon);
    CHECK(answer.stage == "b");
    REQUIRE(answer.closest);
}

TEST_CASE("why not: in any order only the span counts") {
    auto any = two(1h);
    any.order = Order::any;
    CHECK(Story{}.at(0h, "b").at(5min, "a").asked(any).reason == Reason::matched);
    const auto answer = Story{}.at(0h, "b").at(2h, "a").asked(any);
    CHECK(answer.reason == Reason::span_too_long);
    CHECK(answer.by == Duration{1h});
}

namespace {

Absence unwanted(const std::string& name, Absence::Where where, std::size_t stage, std::size_t until = 0, Duration within = 1h) {
    const auto match = Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, {name}}).value();
    return {match, where, stage, until, where == Absence::Where::between ? Duration{} : within};
}

}  // namespace

TEST_CASE("why not: what must be absent came, by whom it matters and when it matters") {
    auto pattern = two();
    pattern.absent.push_back(unwanted("x", Absence::Where::between, 0, 1));
    pattern.absent.push_back(unwanted("y", Absence::Where::after, 1));
    const auto answer = Story{}.at(0h, "x").at(1h, "a").at(2h, "x").at(2h + 1min, "x").at(3h, "b").at(5h, "y").asked(pattern);
    CHECK(answer.reason == Reason::not_absent);
    CHECK(answer.stage.empty());
    CHECK(answer.condition == 0U);
    REQUIRE(answer.closest);
    CHECK(answer.closest->time == story_day() + 2h);
    CHECK(Story{}.at(1h, "a").at(3h, "b").at(4h, "y").asked(pattern).condition == 1U);
    CHECK(Story{}.at(1h, "a").at(2h, "x").at(3h, "b").at(4h, "y").asked(pattern).condition == 0U);  // both, each by itself
    CHECK(Story{}.at(1h, "a").at(2h, "x", "bob").at(3h, "b").at(4h + 1us, "y").asked(pattern).reason == Reason::matched);
    // one instance that survives is enough
    CHECK(Story{}.at(1h, "a").at(2h, "x").at(150min, "a").at(3h, "b").asked(pattern).reason == Reason::matched);
}

TEST_CASE("why not: a signal that came behind the watermark, or was forgotten, meets no condition") {
    auto pattern = two();
    pattern.absent.push_back(unwanted("x", Absence::Where::between, 0, 1));
    const auto asked = [&](bool behind_horizon, bool late) {
        const std::vector<SeenSignal> signals{
            {signal_of("a", 1h, "alice")}, {signal_of("x", 2h, "alice"), behind_horizon, late}, {signal_of("b", 3h, "alice")}};
        return why_not(pattern, {.entity = {"account", "alice"}, .signals = signals}).reason;
    };
    CHECK(asked(false, false) == Reason::not_absent);
    CHECK(asked(false, true) == Reason::matched);
    CHECK(asked(true, true) == Reason::matched);
}

TEST_CASE("why not: of a chain and without a link, too, what came is told") {
    auto chain = pattern_of("p", {{"a"}, {"b"}}, 10h, {"account", "host"});
    chain.link = LinkMode::chain;
    chain.absent.push_back(unwanted("x", Absence::Where::between, 0, 1));
    CHECK(Story{}.at(0h, "a").at(1h, "x").at(2h, "b").asked(chain).reason == Reason::not_absent);
    CHECK(Story{}.at(0h, "a").at(1h, "x", "bob").at(2h, "b").asked(chain).reason == Reason::matched);
    auto alone = pattern_of("p", {{"a"}}, 10h, {});
    alone.absent.push_back(unwanted("x", Absence::Where::after, 0));
    const auto answer = Story{}.at(0h, "a").at(30min, "x", "").asked(alone);
    CHECK(answer.reason == Reason::not_absent);
    CHECK(answer.closest.has_value());
}
