#include "engine/incidents/listed_entities.hpp"
#include "engine/lane/entity_table.hpp"
#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

TEST_CASE("what nothing names is forgotten, with what it alone consists of, and its numbers are used again") {
    Dictionary dictionary;
    const auto account = dictionary.strings.intern("account");
    const auto host = dictionary.strings.intern("host");
    const auto ana = dictionary.entities.intern(account, "ana");
    const auto ws = dictionary.entities.intern(host, "ws-1");
    const Signal rule = signal_of("rule", 0s, "ana");
    const Signal logon = signal_of("logon", 0s, "ana");
    const auto kept = dictionary.definitions.intern(BorrowedSignal{rule}.view(), dictionary.strings);
    const auto gone = dictionary.definitions.intern(BorrowedSignal{logon}.view(), dictionary.strings);
    const auto before = dictionary.bytes();

    auto named = dictionary.nothing_named();
    named.add(ana);
    named.add(kept);
    dictionary.keep(named);
    CHECK(dictionary.bytes() < before);
    CHECK(dictionary.entities.size() == 1);
    CHECK(dictionary.definitions.size() == 1);
    CHECK(dictionary.entities[ana].value == "ana");
    CHECK(dictionary.strings[dictionary.entities[ana].kind] == "account");
    CHECK(dictionary.strings[dictionary.definitions[kept].name] == "rule");
    CHECK(dictionary.entities.intern(account, "ana") == ana);
    CHECK_FALSE(dictionary.strings.find("host"));
    CHECK_FALSE(dictionary.strings.find("logon"));

    CHECK(dictionary.entities.intern(account, "bo") == ws);
    CHECK(dictionary.entities[ws].value == "bo");
    const Signal other = signal_of("other", 0s, "ana");
    CHECK(dictionary.definitions.intern(BorrowedSignal{other}.view(), dictionary.strings) == gone);
    CHECK(dictionary.strings[dictionary.definitions[gone].name] == "other");

    dictionary.keep(dictionary.nothing_named());
    CHECK(dictionary.bytes() == 0);
}

TEST_CASE("of a frequent string that was forgotten nothing is remembered") {
    StringPool strings;
    const auto account = strings.intern_frequent("account");
    strings.keep({false});
    CHECK(strings.intern("host") == account);
    CHECK(strings.intern_frequent("account") != account);
}

TEST_CASE("an incident's list names no entity that left it: the number may be another's by the time it is written") {
    Dictionary dictionary;
    const auto kind = dictionary.strings.intern("account");
    const auto ana = dictionary.entities.intern(kind, "ana");
    const auto bo = dictionary.entities.intern(kind, "bo");
    ListedEntities listed{dictionary};
    listed.add(ana);
    CHECK_FALSE(listed.take_changed());  // there was no list yet
    listed.add(bo);
    CHECK(listed.take_changed() == std::vector<EntityId>{bo});
    listed.add(ana);
    CHECK(listed.take_changed()->empty());
    listed.remove(bo);
    CHECK_FALSE(listed.take_changed());
    CHECK(listed.first().size() == 1);
}

TEST_CASE("accounts that come and go leave nothing behind, and a number that is used again tells of the new one") {
    LaneStory story{{shared(pattern_of("two", {{"first"}, {"second"}}, 1h))}};
    story.forgetting_at_once(false);
    constexpr int days = 90;
    std::int64_t after_a_while = 0;
    std::size_t signals = 0;
    for (int day = 0; day < days; ++day) {
        for (int minute = 0; minute < 24 * 60; minute += 2) {
            story.signal(signal_of("first", day * 24h + minute * 1min, "account-" + std::to_string(signals++)));
        }
        const auto chained = "account-" + std::to_string(signals - 1);
        story.signal(signal_of("second", day * 24h + 24h - 1min, chained));
        CHECK(story.stored().live_findings().size() == static_cast<std::size_t>(day + 1));
        CHECK(story.stored().live_findings().back().principals == std::vector<EntityKey>{{"account", chained}});
        if (day == 20) after_a_while = story.stored().status.state_bytes;
        if (day % 10 != 9) continue;
        const auto saved = story.lane().save();
        auto loaded = Lane::load({shared(pattern_of("two", {{"first"}, {"second"}}, 1h))}, {}, saved);
        REQUIRE(loaded.has_value());
        CHECK(loaded->save() == saved);
        story = story.resumed_with(*std::move(loaded));
    }
    CHECK(story.stored().status.state_bytes < after_a_while * 11 / 10 + (days - 20) * 4'096);  // records of incidents stay
}

namespace {

/// State of a tenant after so many signals of one instant, each of which names somebody nobody else names.
std::int64_t state_after(LaneStory& story, std::size_t signals, const std::string& rule) {
    for (std::size_t i = 0; i < signals; ++i) {
        auto signal = signal_of(rule + std::to_string(i), 1h, "account-" + rule + std::to_string(i));
        signal.source = "source-" + std::to_string(i);
        story.signal(signal);
    }
    return story.stored().status.state_bytes;
}

}  // namespace

TEST_CASE("while time stands still and the window is full, names and entities of what is turned away do not pile up") {
    auto any = pattern_of("any", {{"first"}, {"second"}}, 1h);
    any.stages[0].match = Predicate::test({Field::parse("name").value(), FieldTest::Operator::prefix, {std::string{"first"}}}).value();
    LaneStory story{{shared(std::move(any))}};
    story.rematching(false).forgetting_at_once(false);
    SettingChange little;
    little.window_signals = 1'000;
    story.control(little);
    const auto full = state_after(story, 20'000, "first-a");
    CHECK(story.stored().status.turned_away_signals >= 18'000);
    CHECK(state_after(story, 40'000, "first-b") <= full * 5 / 4);
}
