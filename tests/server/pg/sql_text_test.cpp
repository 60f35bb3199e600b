#include "server/pg/sql_text.hpp"

#include "server/pg/dsn.hpp"
#include "server/pg/place.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>

#include <random>
#include <stdexcept>

using namespace catenary;
using namespace catenary::tests;
namespace pg = server::pg;

TEST_CASE("arrays of text come back as they went in") {
    TestDatabase database;
    pqxx::connection connection{database.login().text()};
    pqxx::work transaction{connection};
    for (const auto& values : {std::vector<std::string>{}, {"plain"}, {"a,b", "{c}", "NULL", ""}, {"quote \" and \\ slash", "new\nline", "ümläut", "'"}}) {
        CHECK(pg::text_array(transaction.exec_params1("SELECT $1::text[]", pg::array_literal(values))[0]) == values);
    }
    CHECK(pg::integer_array(transaction.exec1("SELECT '{-1,9223372036854775807}'::int8[]")[0]) == std::vector<std::int64_t>{-1, 9223372036854775807});
    CHECK(pg::integer_array(transaction.exec1("SELECT '{}'::int8[]")[0]).empty());
    for (const auto* other :
         {"'{NULL}'::text[]", "'{{1},{2}}'::text[]", "'[2:3]={a,b}'::text[]", "'no array'", "NULL::text[]", "'{\"a}'", "'{a,}'", "'{\"a\"b}'"}) {
        CAPTURE(other);
        CHECK_THROWS_AS((void)pg::text_array(transaction.exec1(std::string{"SELECT "} + other)[0]), std::invalid_argument);
    }
}

TEST_CASE("property: times come back to the microsecond") {
    TestDatabase database;
    pqxx::connection connection{database.login().with_setting("timezone", "UTC").text()};
    pqxx::work transaction{connection};
    std::mt19937_64 random{7};                                                       // NOLINT: the same cases every time
    std::uniform_int_distribution<std::int64_t> micros{0, 253'402'300'799'999'999};  // 1970 … 9999
    for (int i = 0; i < 300; ++i) {
        const auto time = engine::from_micros(i < 2 ? i : micros(random));
        CAPTURE(engine::to_micros(time));
        CHECK(pg::timestamp_from(pg::timestamp_text(time)) == time);
        CHECK(pg::timestamp_from(transaction.exec_params1("SELECT $1::timestamptz", pg::timestamp_text(time))[0]) == time);
    }
    for (const auto* bad : {"", "2026-03-05", "2026-03-05 22:47:11", "2026-03-05 22:47:11+01", "infinity", "x026-03-05 22:47:11+00"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS((void)pg::timestamp_from(std::string_view{bad}), std::invalid_argument);
    }
}

TEST_CASE("doubles come back bit for bit") {
    TestDatabase database;
    pqxx::connection connection{database.login().text()};
    pqxx::work transaction{connection};
    for (const double value : {0.0, 0.1, 0.35, 1.0 / 3, 5e-324, 1.7976931348623157e308, 0.30000000000000004}) {
        CHECK(pg::double_from(transaction.exec_params1("SELECT $1::float8", pg::double_text(value))[0]) == value);
    }
}

TEST_CASE("a place is read back, and nothing else is") {
    const std::vector<std::string> parts{"2026", "a:b 3:c", "", "\n"};
    CHECK(pg::place_from(pg::place_text(parts), 4) == parts);
    for (const auto* bad : {"", "1:a", "x", "1:", "9:ab", "1a", "99999999999999999999:a", "1:a1:b1:c", "-1:a1:b"}) {
        CAPTURE(bad);
        CHECK_FALSE(pg::place_from(bad, 2).has_value());
    }
}

TEST_CASE("settings are added to what the operator gave") {
    const auto parsed = pg::Dsn::parse("postgresql://catenary:p%20w'\\@db.example:6432/siem?options=-c%20work_mem%3D8MB");
    REQUIRE(parsed.has_value());
    const auto with = (*parsed).with_setting("role", "catenary_api").with_setting("search_path", "a b");
    CHECK(with.parameter("options") == "-c work_mem=8MB -c role=catenary_api -c search_path=a\\ b");
    CHECK(with.parameter("port") == "6432");
    CHECK(with.shown().find("p w") == std::string::npos);
    const auto again = pg::Dsn::parse(with.text());
    REQUIRE(again.has_value());
    CHECK((*again).parameter("password") == "p w'\\");
    const auto bad = pg::Dsn::parse("postgresql://user:secret@host/x?no_such_parameter=1");
    REQUIRE(bad.has_error());
    CHECK(bad.error().message.find("secret") == std::string::npos);
}
