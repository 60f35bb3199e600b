#include "server/ingest/copy_encoder.hpp"
#include "server/ingest/generational_map.hpp"
#include "server/ingest/leaves.hpp"
#include "server/ingest/pq_connection.hpp"
#include "server/ingest/pq_values.hpp"
#include "server/ingest/signal_row.hpp"
#include "tests/support/postgres_fixture.hpp"
#include "tests/support/signal_batches.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <set>
#include <stdexcept>

using namespace catenary;
using namespace catenary::server;

TEST_CASE("rows for one leaf travel in one large statement or in small ones, never in between") {
    struct Case {
        std::size_t waiting, rows;
    };
    for (const auto& [waiting, rows] :
         {Case{1, 1}, Case{200, 200}, Case{201, 200}, Case{1'000, 200}, Case{4'999, 200}, Case{5'000, 5'000}, Case{20'000, 20'000}}) {
        CAPTURE(waiting);
        CHECK(copy_statement_rows(waiting) == rows);
    }
    for (std::size_t waiting = 1; waiting < 21'000; ++waiting) {
        const auto rows = copy_statement_rows(waiting);
        CHECK_FALSE((rows > 500 && rows < 2'000));
    }
}

TEST_CASE("known roles are codes, others are spelled, and each comes back") {
    tests::BatchBuilder builder;
    tests::BatchBuilder::Item item;
    item.id = "one";
    item.entities = {{"account", "a", "actor", true}, {"account", "b", "", true}, {"account", "c", "Täter \"x\"", true}};
    item.shown = R"({"values":{"1":"B"}})";
    item.aliases = R"({"0":[{"kind":"account","value":"x"}]})";
    const auto batch = builder.add(item).build();
    const auto& signal = batch->signals[0];
    const auto shown = shown_from(shown_text(signal, "A title of its own"));
    const std::array codes{std::byte{role_code("actor")}, std::byte{role_code("")}, std::byte{role_code("Täter \"x\"")}};
    CHECK(codes[2] == std::byte{spelled_role});
    CHECK(role_of(codes, 0, shown) == "actor");
    CHECK(role_of(codes, 1, shown).empty());
    CHECK(role_of(codes, 2, shown) == "Täter \"x\"");
    CHECK(role_of(codes, 3, shown).empty());
    CHECK(shown.values_json == R"({"1":"B"})");
    CHECK(shown.title == "A title of its own");
    CHECK(shown.aliases_json == item.aliases);
    CHECK(shown_text(tests::BatchBuilder{}.add({}).build()->signals[0], "").empty());
    CHECK_THROWS_AS(shown_from("[1]"), std::invalid_argument);
    CHECK_THROWS_AS(shown_from("{"), std::invalid_argument);
}

TEST_CASE("role codes are distinct and never that of a spelled role") {
    std::set<std::string_view> names;
    for (int code = 1; code < spelled_role; ++code) {
        const auto name = role_name(static_cast<std::uint8_t>(code));
        if (name.empty()) continue;
        CHECK(names.insert(name).second);
        CHECK(role_code(name) == code);
    }
    CHECK(names.size() >= 20);
}

TEST_CASE("mentions of evidence read back as written") {
    const std::vector<engine::EntityMention> mentions{{"account", "j@x.example", "actor", true}, {"ip", "127.0.0.1", "", false}};
    CHECK(mentions_from_text(mentions_to_text(mentions)) == mentions);
    CHECK(mentions_from_text(mentions_to_text({})).empty());
}

TEST_CASE("arrays travel in binary form both ways") {
    tests::TestDatabase database;
    PqConnection connection{database.superuser().text()};
    const std::vector<std::string_view> texts{"plain", "", "with \"quotes\" and \\", "{},NULL"};
    const std::vector<PqParameter> parameters{text_array(texts)};
    CHECK(read_text_array(connection.query("SELECT $1::text[]", parameters).text(0, 0)) == std::vector<std::string>{texts.begin(), texts.end()});
    const auto literal = array_literal(texts);
    const std::vector<PqParameter> same{text_array(texts), PqParameter{25, literal}};
    CHECK(connection.query("SELECT ($1::text[] = $2::text[])::int4", same).int4(0, 0) == 1);
    const std::vector<std::int64_t> numbers{1, -2, 1'000'000'000'000};
    const std::vector<PqParameter> sum{int8_array(numbers)};
    CHECK(connection.query("SELECT sum(n)::int8 FROM unnest($1::int8[]) AS n", sum).int8(0, 0) == 999'999'999'999);
    CHECK(read_text_array(connection.query("SELECT '{}'::text[]").text(0, 0)).empty());
    CHECK_THROWS_AS(read_text_array("xx"), std::invalid_argument);
    const std::vector<PqParameter> time{timestamp_value(engine::from_micros(1'234'567))};
    CHECK(connection.query("SELECT (extract(epoch FROM $1::timestamptz) * 1000000)::int8", time).int8(0, 0) == 1'234'567);
}

TEST_CASE("leaves are named and bounded as the database does it") {
    tests::TestDatabase database;
    PqConnection connection{database.superuser().text()};
    const auto calendar = LeafCalendar::load(connection);
    for (Day day = day_of(engine::from_micros(0)) + 7'305; day < 22'000; day += 17) {
        CAPTURE(day);
        const auto leaf = calendar.leaf_of(day);
        const auto table = calendar.table(leaf);
        CHECK(table == connection.run(fmt::format("SELECT leaf_name(leaf_day(DATE '1970-01-01' + {}))", day)).text(0, 0));
        CHECK(LeafCalendar::leaf_named(table) == leaf);
        const auto range =
            connection.run(fmt::format("SELECT leaf_from('{0}') = {1}, leaf_till('{0}') = {2}", table, sql_time(leaf), sql_time(calendar.end_of(leaf))));
        CHECK(range.text(0, 0) == "t");
        CHECK(range.text(0, 1) == "t");
    }
    for (const auto* name : {"signal", "signal_d2026", "signal_y2026x", "signal_d20261399", "def"}) {
        CAPTURE(name);
        CHECK_THROWS_AS(LeafCalendar::leaf_named(name), std::invalid_argument);
    }
}

TEST_CASE("a generational map keeps what is used and stays within its bound") {
    GenerationalMap<int> map{64};
    const Digest hot{1, 1};
    map.put(hot, 42);
    for (std::uint64_t i = 2; i < 2'000; ++i) {
        map.put(Digest{i, i}, static_cast<int>(i));
        REQUIRE(map.find(hot) != nullptr);
        CHECK(*map.find(hot) == 42);
        CHECK(map.size() <= 66);
    }
    CHECK(map.find(Digest{2, 2}) == nullptr);
    CHECK(map.find(Digest{1'999, 1'999}) != nullptr);
}
