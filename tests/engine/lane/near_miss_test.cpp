#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

// Chains that are not whole (semantics.md 4.4): part-way while they wait, near misses once they are over with one stage missing.

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

Catalogue three_stages(Duration within = 10h) { return {shared(pattern_of("p", {{"a"}, {"b"}, {"c"}}, within))}; }

LaneStory& until(LaneStory& story, Duration watermark) {
    story.control(WatermarkCall{story_day() + watermark, false});
    return story;
}

PartialChains partials(LaneStory& story, PartialWanted wanted = {}) {
    story.take();
    const auto found = story.lane().partials(TenantId{1}, wanted);
    REQUIRE(found);
    return *found;
}

std::vector<std::string> stages(const std::vector<ChainStage>& reached) {
    std::vector<std::string> ids;
    for (const ChainStage& one : reached) ids.push_back(one.id);
    return ids;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("a chain that is part-way says what it has, what it awaits and until when") {
    LaneStory story{three_stages()};
    story.signal(signal_of("a", 0h, "alice")).signal(signal_of("b", 1h, "alice")).signal(signal_of("a", 90min, "bob"));
    const auto found = partials(story);
    REQUIRE(found.chains.size() == 2);
    CHECK(found.is_complete);
    const PartialChain& alice = found.chains[0];  // she lacks less
    CHECK(alice.entity == EntityKey{"account", "alice"});
    CHECK(stages(alice.reached) == Ids{"a", "b"});
    CHECK(alice.reached[1].signal == SignalRef{story_day() + 1h, "source_of_b", "b-alice-3600000000"});
    CHECK(alice.missing == Ids{"c"});
    CHECK(alice.stages == 3);
    CHECK(alice.start == story_day());
    CHECK(alice.until == story_day() + 10h);
    CHECK(found.chains[1].entity.value == "bob");
    CHECK(found.chains[1].missing == Ids{"b", "c"});
}

TEST_CASE("what is asked of chains part-way: a pattern, an entity, how many") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}})), shared(pattern_of("q", {{"a"}, {"c"}}))}};
    story.signal(signal_of("a", 0h, "alice")).signal(signal_of("a", 1h, "bob"));
    CHECK(partials(story).chains.size() == 4);
    CHECK(partials(story, {.patterns = {"q"}, .entity = {}}).chains.size() == 2);
    const auto bob = partials(story, {.patterns = {}, .entity = EntityKey{"account", "bob"}});
    REQUIRE(bob.chains.size() == 2);
    CHECK(bob.chains[0].entity.value == "bob");
    CHECK(partials(story, {.patterns = {}, .entity = EntityKey{"account", "nobody"}}).chains.empty());
    const auto one = partials(story, {.patterns = {}, .entity = {}, .most = 1});
    CHECK(one.chains.size() == 1);
    CHECK(one.found == 4);
    CHECK_FALSE(story.lane().partials(TenantId{2}, {}));
}

TEST_CASE("a chain is part-way up to the end of its wait and not longer") {
    LaneStory story{three_stages()};
    story.signal(signal_of("a", 0h, "alice"));
    until(story, 10h);
    CHECK(partials(story).chains.size() == 1);
    until(story, 10h + 1us);
    CHECK(partials(story).chains.empty());
}

TEST_CASE("a chain that became a finding is not part-way") {
    LaneStory story{three_stages()};
    story.signal(signal_of("a", 0h, "alice")).signal(signal_of("b", 1h, "alice")).signal(signal_of("c", 2h, "alice"));
    CHECK(partials(story).chains.empty());
    story.signal(signal_of("a", 3h, "alice"));
    const auto found = partials(story);
    REQUIRE(found.chains.size() == 1);  // another one begins
    CHECK(stages(found.chains[0].reached) == Ids{"a"});
}

TEST_CASE("a limit on a single gap ends the wait earlier") {
    auto pattern = pattern_of("p", {{"a"}, {"b"}, {"c"}}, 10h);
    pattern.stages[2].within = 30min;
    LaneStory story{{shared(pattern)}};
    story.signal(signal_of("a", 0h, "alice")).signal(signal_of("b", 1h, "alice"));
    const auto found = partials(story);
    REQUIRE(found.chains.size() == 1);
    CHECK(stages(found.chains[0].reached) == Ids{"a", "b"});
    CHECK(found.chains[0].until == story_day() + 90min);
    until(story, 90min + 1us);
    CHECK(stages(partials(story).chains.at(0).reached) == Ids{"a"});  // another b may come
}

TEST_CASE("a repeated stage is reached when it is repeated often enough") {
    auto pattern = pattern_of("p", {{"a"}, {"b"}}, 10h);
    pattern.stages[0].repeat = Repeat{.at_least = 3, .within = 1h, .by = "account", .distinct = {}};
    LaneStory story{{shared(pattern)}};
    story.signal(signal_of("a", 0min, "alice")).signal(signal_of("a", 10min, "alice"));
    CHECK(partials(story).chains.empty());
    story.signal(signal_of("a", 20min, "alice"));
    const auto found = partials(story);
    REQUIRE(found.chains.size() == 1);
    CHECK(found.chains[0].start == story_day());
    CHECK(found.chains[0].missing == Ids{"b"});
}

TEST_CASE("chains from entity to entity and stages in any order are part-way too") {
    auto chain = pattern_of("chain", {{"a"}, {"b"}, {"c"}}, 10h, {"account", "host"});
    chain.link = LinkMode::chain;
    auto any = pattern_of("any", {{"a"}, {"b"}, {"d"}}, 10h);
    any.order = Order::any;
    LaneStory story{{shared(chain), shared(any)}};
    auto b = signal_of("b", 1h, "alice");
    b.entities.push_back({"host", "ws-1", "", true});
    story.signal(b).signal(signal_of("a", 2h, "alice"));
    auto found = partials(story, {.patterns = {"any"}, .entity = {}});
    REQUIRE(found.chains.size() == 1);
    CHECK(stages(found.chains[0].reached) == Ids{"a", "b"});
    CHECK(found.chains[0].missing == Ids{"d"});
    CHECK(found.chains[0].start == story_day() + 1h);
    auto later = signal_of("b", 3h, "alice");
    later.entities.push_back({"host", "ws-1", "", true});
    story.signal(later);
    found = partials(story, {.patterns = {"chain"}, .entity = {}});
    REQUIRE(found.chains.size() == 1);
    CHECK(stages(found.chains[0].reached) == Ids{"a", "b"});
    CHECK(found.chains[0].missing == Ids{"c"});
}

TEST_CASE("a chain that is over with one stage missing is a near miss, told once") {
    LaneStory story{three_stages()};
    story.signal(signal_of("a", 0h, "alice")).signal(signal_of("b", 1h, "alice")).signal(signal_of("a", 1h, "bob"));
    until(story, 10h);
    CHECK(story.stored().near_misses.empty());
    until(story, 12h);
    REQUIRE(story.stored().near_misses.size() == 1);
    const NearMissRecord& miss = story.stored().near_misses[0];
    CHECK(miss.pattern == "p");
    CHECK(miss.version == 1);
    CHECK(miss.entity == EntityKey{"account", "alice"});
    CHECK(stages(miss.reached) == Ids{"a", "b"});
    CHECK(miss.missing == "c");
    CHECK(miss.start == story_day());
    CHECK(miss.end == story_day() + 1h);
    CHECK(miss.until == story_day() + 10h);
    until(story, 100h);
    CHECK(story.stored().near_misses.size() == 1);
}

TEST_CASE("the missing stage may be the first, one between or the last") {
    for (const auto& [present, missing] : std::vector<std::pair<Ids, std::string>>{{{"a", "b"}, "c"}, {{"a", "c"}, "b"}, {{"b", "c"}, "a"}}) {
        CAPTURE(missing);
        LaneStory story{three_stages()};
        story.signal(signal_of(present[0], 0h, "alice")).signal(signal_of(present[1], 1h, "alice"));
        until(story, 20h);
        REQUIRE(story.stored().near_misses.size() == 1);
        CHECK(story.stored().near_misses[0].missing == missing);
        CHECK(stages(story.stored().near_misses[0].reached) == present);
    }
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}}))}};
    story.signal(signal_of("a", 0h, "alice")).signal(signal_of("b", 0h, "bob"));
    until(story, 60h);
    REQUIRE(story.stored().near_misses.size() == 1);  // nothing ever waited for bob's
    CHECK(story.stored().near_misses[0].entity.value == "alice");
}

TEST_CASE("no near miss: the stages in the wrong order, of somebody else, too far apart, or part of a finding") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}, {"c"}, {"d"}}, 10h))}};
    story.signal(signal_of("c", 0h, "alice")).signal(signal_of("b", 1h, "alice")).signal(signal_of("a", 2h, "alice"));
    story.signal(signal_of("a", 0h, "bob")).signal(signal_of("b", 1h, "carol")).signal(signal_of("c", 2h, "bob"));
    story.signal(signal_of("a", 0h, "dave")).signal(signal_of("b", 5h, "dave")).signal(signal_of("c", 10h + 1us, "dave"));
    for (const auto& [name, hour] : std::vector<std::pair<std::string, Duration>>{{"a", 0h}, {"b", 1h}, {"c", 2h}, {"d", 3h}}) {
        story.signal(signal_of(name, hour, "erin"));
    }
    until(story, 60h);
    CHECK(story.stored().live_findings().size() == 1);
    CHECK(story.stored().near_misses.empty());
}

TEST_CASE("no near miss: every stage came, and something else that must not be") {
    auto pattern = pattern_of("p", {{"a"}, {"b"}, {"c"}}, 10h);
    pattern.absent.push_back({.match = Predicate::test({Field::parse("name").value(), FieldTest::Operator::any_of, {"approved"}}).value(),
                              .where = Absence::Where::between,
                              .stage = 0,
                              .until = 1});
    LaneStory story{{shared(pattern)}};
    story.signal(signal_of("a", 0h, "alice")).signal(signal_of("approved", 30min, "alice")).signal(signal_of("b", 1h, "alice"));
    story.signal(signal_of("c", 2h, "alice"));
    story.signal(signal_of("a", 2h, "bob")).signal(signal_of("b", 3h, "bob"));
    until(story, 60h);
    CHECK(story.stored().live_findings().empty());
    REQUIRE(story.stored().near_misses.size() == 1);
    CHECK(story.stored().near_misses[0].entity.value == "bob");
}

TEST_CASE("an entity that goes on all day has one near miss for each within") {
    LaneStory story{three_stages(2h)};
    for (int minute = 0; minute < 600; minute += 10) story.signal(signal_of(minute % 20 == 0 ? "a" : "b", std::chrono::minutes{minute}, "alice"));
    until(story, 60h);
    const auto& misses = story.stored().near_misses;
    CHECK(misses.size() >= 4);
    CHECK(misses.size() <= 6);
    for (std::size_t i = 1; i < misses.size(); ++i) CHECK(misses[i].start > misses[i - 1].start);
}

TEST_CASE("a signal late in the log makes a near miss as one in time does") {
    LaneStory story{three_stages()};
    story.signal(signal_of("b", 1h, "alice"));
    until(story, 3h);
    story.signal(signal_of("a", 0h, "alice"));
    until(story, 40h);
    REQUIRE(story.stored().near_misses.size() == 1);
    CHECK(stages(story.stored().near_misses[0].reached) == Ids{"a", "b"});
}

TEST_CASE("near misses are forgotten 30 days of event time after they were over") {
    LaneStory story{three_stages()};
    story.signal(signal_of("a", 0h, "alice")).signal(signal_of("b", 1h, "alice"));
    until(story, 24h * 29).signal(signal_of("a", 24h * 29 + 1h, "bob")).signal(signal_of("b", 24h * 29 + 2h, "bob"));
    CHECK(story.stored().near_misses.size() == 1);
    until(story, 24h * 32);
    REQUIRE(story.stored().near_misses.size() == 1);
    CHECK(story.stored().near_misses[0].entity.value == "bob");
    until(story, 24h * 61);  // nothing else is due any more
    CHECK(story.stored().near_misses.empty());
}

TEST_CASE("more near misses a day than a pattern may tell are counted") {
    LaneStory story{three_stages()};
    const int more = 7;
    for (int i = 0; i < NearMissAllowance::most_of_pattern + more; ++i) {
        const std::string account = "user-" + std::to_string(i);
        story.signal(signal_of("a", std::chrono::seconds{i}, account)).signal(signal_of("b", 1h, account));
    }
    until(story, 20h);
    CHECK(story.stored().near_misses.size() == static_cast<std::size_t>(NearMissAllowance::most_of_pattern));
    CHECK(story.stored().status.near_misses_dropped == more);
    const auto health = story.lane().health(TenantId{1});
    REQUIRE(health);
    CHECK(health->patterns.at(0).near_misses == NearMissAllowance::most_of_pattern);
    CHECK(health->patterns.at(0).near_misses_dropped == more);
    CHECK(story.stored().near_misses[0].entity.value == "user-0");  // the earliest are told
}

TEST_CASE("the health of a pattern: what is held, what came, what was found, since when it is silent") {
    LaneStory story{{shared(pattern_of("p", {{"a"}, {"b"}})), shared(pattern_of("silent", {{"x"}, {"y"}}))}};
    story.signal(signal_of("a", 0h, "alice")).signal(signal_of("b", 1h, "alice")).signal(signal_of("a", 2h, "bob")).signal(signal_of("other", 5h, "bob"));
    story.take();
    const auto health = story.lane().health(TenantId{1});
    REQUIRE(health);
    REQUIRE(health->patterns.size() == 2);
    const PatternHealth& busy = health->patterns[0];
    CHECK(busy.pattern == "p");
    CHECK(busy.attempts == 2);
    CHECK(busy.signals == 3);
    CHECK(busy.findings == 1);
    CHECK(busy.last_finding == story_day() + 1h);
    CHECK(busy.last_signal == story_day() + 2h);
    CHECK(busy.bytes > 0);
    CHECK(busy.work > 0);
    const PatternHealth& silent = health->patterns[1];
    CHECK(silent.signals == 0);
    CHECK(silent.findings == 0);
    CHECK_FALSE(silent.last_finding);
    CHECK(health->newest == story_day() + 5h);
    CHECK(health->bytes >= busy.bytes + silent.bytes);
}

TEST_CASE("near misses outlive a snapshot between the chain and its end") {
    LaneStory whole{three_stages()};
    whole.signal(signal_of("a", 0h, "alice")).signal(signal_of("b", 1h, "alice"));
    whole.take();
    auto lane = Lane::load(three_stages(), {}, whole.lane().save());
    REQUIRE(lane.has_value());
    LaneStory resumed = whole.resumed_with(std::move(lane).value());
    until(whole, 20h);
    until(resumed, 20h);
    CHECK(as_text(whole.taken()) == as_text(resumed.taken()));
    CHECK(resumed.stored().near_misses.size() == 1);
}

TEST_CASE("a chain with more signals near it than are followed for a near miss is counted") {
    auto chain = pattern_of("p", {{"a"}, {"b"}, {"c"}}, 10h, {"account", "host"});
    chain.link = LinkMode::chain;
    for (const int many : {10, 200}) {
        CAPTURE(many);
        LaneStory story{{shared(chain)}};
        story.signal(signal_of("a", 1h, "alice"));
        for (int i = 0; i < many; ++i) story.signal(signal_of("b", 2h + 1s * i, "alice"));
        until(story, 72h);
        CHECK(story.stored().near_misses.size() == 1);
        const auto health = story.lane().health(TenantId{1});
        REQUIRE(health);
        CHECK((health->patterns.at(0).capped > 0) == (many == 200));
        CHECK((story.stored().status.capped_groups > 0) == (many == 200));
    }
}
