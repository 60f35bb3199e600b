#include "engine/incidents/listed_entities.hpp"
#include "engine/lane/entity_table.hpp"
#include "tests/support/lane_story.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace catenary::engine;
using namespace catenary::test;
using namespace std::chrono_literals;

namespace {

constexpr auto kept_by_nobody = [](EntityId) { return false; };

void end_rounds(EntityTable& table, std::uint32_t rounds) {
    for (std::uint32_t i = 0; i < rounds; ++i) table.end_round(kept_by_nobody);
}

}  // namespace

TEST_CASE("an entity is forgotten when nothing has used it for long enough, and its number is used again") {
    EntityTable table;
    const auto ana = table.intern(Symbol{0}, "ana");
    const auto bo = table.intern(Symbol{0}, "bo");
    table.use(bo);
    end_rounds(table, EntityTable::idle_rounds - 1);
    CHECK(table.size() == 2);
    end_rounds(table, 1);
    CHECK(table.size() == 1);
    CHECK(table[bo].value == "bo");
    CHECK(table.intern(Symbol{0}, "bo") == bo);
    const auto cy = table.intern(Symbol{0}, "cy");
    CHECK(cy == ana);
    CHECK(table[cy].value == "cy");
    table.give_back(bo);
    end_rounds(table, EntityTable::idle_rounds);
    CHECK(table.size() == 0);
    CHECK(table.bytes() == 0);
}

TEST_CASE("what is used again in time stays, and so does what somebody keeps") {
    EntityTable table;
    const auto ana = table.intern(Symbol{0}, "ana");
    for (int i = 0; i < 10; ++i) {
        table.use(ana);
        end_rounds(table, EntityTable::idle_rounds / 2 + 1);
        table.give_back(ana);
        end_rounds(table, EntityTable::idle_rounds / 2 + 1);
        REQUIRE(table.size() == 1);
    }
    for (int i = 0; i < 100; ++i) table.end_round([ana](EntityId id) { return id == ana; });
    CHECK(table.size() == 1);
    end_rounds(table, 2 * EntityTable::idle_rounds);
    CHECK(table.size() == 0);
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
