#include "engine/lane/link_rules.hpp"

#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

const EntityKey alice{"account", "alice"};

std::size_t findings(LaneStory& story) { return story.stored().live_findings().size(); }

Catalogue two_stages(std::vector<std::string> kinds = {"account"}) { return {shared(pattern_of("p", {{"a"}, {"b"}}, 24h, std::move(kinds)))}; }

SettingChange limit(int most) { return {.lateness = {}, .base_rate = {}, .unlinkable_limit = most, .group_within = {}, .window_signals = {}}; }

Signal naming(Signal signal, const std::string& kind, int others) {
    for (int i = 0; i < others; ++i) signal.entities.push_back({kind, kind + std::to_string(i), "", true});
    return signal;
}

}  // namespace

TEST_CASE("a dated value holds after its instant, and the last of several changes after one instant holds") {
    DatedValue<int> value{8};
    const Timestamp noon = story_day() + 12h;
    value.set(Timestamp::min(), 8);
    CHECK_FALSE(value.has_changes());  // no change at all
    value.set(noon, 3);
    value.set(noon, 4);
    CHECK(value.at(noon) == 8);
    CHECK(value.at(noon + 1us) == 4);
    value.set(noon, 8);
    CHECK_FALSE(value.has_changes());
    value.set(noon + 1h, 5);
    value.set(noon + 2h, 6);
    CHECK(value.at(noon + 2h) == 5);
    CHECK(value.at(noon + 3h) == 6);
}

TEST_CASE("of very many changes the oldest are forgotten") {
    DatedValue<int> value{0};
    constexpr int changes = static_cast<int>(DatedValue<int>::most_changes) + 10;
    for (int i = 1; i <= changes; ++i) value.set(story_day() + i * 1s, i);
    CHECK(value.at(story_day()) == 10);
    CHECK(value.at(story_day() + 11s) == 10);
    CHECK(value.at(story_day() + 12s) == 11);
    CHECK(value.at(story_day() + 48h) == changes);
}

TEST_CASE("a denied entity links nothing from then on, and what links by others is not touched") {
    LaneStory story{two_stages({"account", "host"})};
    story.control(EntityChange{alice, LinkRule::deny});  // in advance: nobody has mentioned it
    story.signal(signal_of("a", 1min, "alice")).signal(signal_of("b", 2min, "alice"));
    CHECK(findings(story) == 0);
    CHECK(story.stored().status.unlinkable == 2);
    story.signal(naming(signal_of("a", 3min, "alice"), "host", 1)).signal(naming(signal_of("b", 4min, "alice"), "host", 1));
    REQUIRE(findings(story) == 1);
    CHECK(story.stored().live_findings().front().principals == std::vector<EntityKey>{{"host", "host0"}});
    CHECK(story.stored().incidents.begin()->second.entities.size() == 2);  // shown all the same
    story.signal(signal_of("a", 5min, "bob")).signal(signal_of("b", 6min, "bob"));
    CHECK(findings(story) == 2);
}

TEST_CASE("a decision holds for signals later than all before it; a straggler is judged as its contemporaries were") {
    LaneStory story{two_stages()};
    story.signal(signal_of("a", 1min, "alice")).signal(signal_of("noise", 10min, "bob"));
    story.control(EntityChange{alice, LinkRule::deny});
    SUBCASE("a straggler links") {
        story.signal(signal_of("b", 10min, "alice"));
        CHECK(findings(story) == 1);
    }
    SUBCASE("what came later does not, until the decision is taken back") {
        story.signal(signal_of("b", 10min + 1us, "alice"));
        CHECK(findings(story) == 0);
        story.control(EntityChange{alice, LinkRule::usual});
        story.signal(signal_of("b", 10min + 2us, "alice"));
        CHECK(findings(story) == 1);
    }
    SUBCASE("a pattern posted later reads the past as it was judged") {
        story.signal(signal_of("b", 9min, "alice")).signal(signal_of("b", 11min, "alice"));
        Pattern later = pattern_of("q", {{"a"}, {"b"}});
        story.control(PatternChange{shared(later), story_day()});
        for (const auto& record : story.stored().live_findings()) CHECK(record.evidence_total == 2);
        CHECK(findings(story) == 2);
    }
}

TEST_CASE("allow leaves the limit on entities of one kind and names that identify nobody alone") {
    LaneStory story{two_stages()};
    story.control(EntityChange{alice, LinkRule::allow}).control(EntityChange{{"account", "root"}, LinkRule::allow});
    story.signal(naming(signal_of("a", 1min, "alice"), "account", 8)).signal(naming(signal_of("b", 2min, "alice"), "account", 8));
    Signal first = signal_of("a", 3min, ""), second = signal_of("b", 4min, "");
    first.entities = second.entities = {{"account", "root", "", false}};
    story.signal(first).signal(second);
    CHECK(findings(story) == 0);
    story.signal(signal_of("a", 5min, "alice")).signal(signal_of("b", 6min, "alice"));
    CHECK(findings(story) == 1);
}

TEST_CASE("a pattern that groups by a kind groups by a denied entity, and the stages beside link by it") {
    Pattern burst = pattern_of("burst", {{"a"}, {"b"}});
    burst.stages[0].repeat = Repeat{3, 10min, "account", {}};
    LaneStory story{{shared(burst), shared(pattern_of("plain", {{"a"}, {"b"}}))}};
    story.control(EntityChange{alice, LinkRule::deny});
    for (int i = 1; i <= 3; ++i) story.signal(signal_of("a", i * 1min, "alice"));
    story.signal(signal_of("b", 5min, "alice"));
    REQUIRE(findings(story) == 1);
    CHECK(story.stored().live_findings().front().pattern == "burst");
    CHECK(story.stored().status.unlinkable == 4);  // for the plain one
}

TEST_CASE("a signal that names too many of a kind links by none of it: same, chain and bursts, and is counted once") {
    Pattern same = pattern_of("same", {{"a"}, {"b"}});
    Pattern chain = pattern_of("chain", {{"a"}, {"b"}}, 24h, {"account", "host"});
    chain.link = LinkMode::chain;
    Pattern burst = pattern_of("burst", {{"a"}});
    burst.stages[0].repeat = Repeat{1, 10min, "account", {}};
    LaneStory story{{shared(same), shared(chain), shared(burst)}};
    const auto named = [&](int others) {
        story.signal(naming(signal_of("a", 1min, "alice"), "account", others)).signal(naming(signal_of("b", 2min, "alice"), "account", others));
    };
    SUBCASE("eight are not too many") {
        named(7);
        CHECK(findings(story) == 3);
        CHECK(story.stored().status.unlinkable == 0);
    }
    SUBCASE("nine are") {
        named(8);
        CHECK(findings(story) == 0);
        CHECK(story.stored().status.unlinkable == 2);
        story.signal(naming(naming(signal_of("a", 3min, "bob"), "account", 8), "host", 1));
        story.signal(naming(naming(signal_of("b", 4min, "bob"), "account", 8), "host", 1));
        REQUIRE(findings(story) == 1);  // the chain, by the host
        CHECK(story.stored().live_findings().front().principals == std::vector<EntityKey>{{"host", "host0"}});
        CHECK(story.stored().status.unlinkable == 4);
    }
    SUBCASE("the limit is the tenant's, for signals later than the change") {
        story.signal(signal_of("noise", 30s, "bob")).control(limit(2));
        named(2);
        CHECK(findings(story) == 0);
        story.signal(naming(signal_of("a", 10s, "carol"), "account", 7)).signal(naming(signal_of("b", 20s, "carol"), "account", 7));  // before it
        CHECK(findings(story) == 3);
    }
}

TEST_CASE("signals behind the horizon are told apart from other late ones, with the earliest time among them") {
    LaneStory story{two_stages()};
    story.rematching(false);
    story.signal(signal_of("noise", 30 * 24h, "bob"));
    story.signal(signal_of("a", 30 * 24h - 2h, "alice"));  // late
    CHECK(story.stored().status.behind_horizon == 0);
    CHECK_FALSE(story.stored().status.oldest_behind_horizon);
    const Signal old = signal_of("a", 5h, "alice"), older = signal_of("b", 2h, "alice");
    const Effects effects = [&] {
        story.signal(old).signal(older);
        return story.lane().take_effects();
    }();
    REQUIRE(effects.size() == 1);
    const SignalRef old_ref{old.time, old.source, old.id}, older_ref{older.time, older.source, older.id};
    CHECK(effects[0].behind_horizon == std::vector<SignalRef>{older_ref, old_ref});
    CHECK(effects[0].late == std::vector<SignalRef>{older_ref, old_ref});
    CHECK(effects[0].status.behind_horizon == 2);
    CHECK(effects[0].status.oldest_behind_horizon == older.time);
    CHECK(effects[0].status.late == 3);
}
