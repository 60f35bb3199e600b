#include "server/pg/migrator.hpp"

#include "server/pg/database.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace catenary;
using namespace catenary::tests;
namespace pg = server::pg;

namespace {

std::vector<pg::MigrationFile> files_with(pg::MigrationFile extra) {
    const auto embedded = pg::embedded_migrations();
    std::vector<pg::MigrationFile> files{embedded.begin(), embedded.end()};
    const auto same_number = [&](const pg::MigrationFile& file) { return file.name.substr(0, 4) == extra.name.substr(0, 4); };
    std::erase_if(files, same_number);
    files.push_back(extra);
    std::ranges::sort(files, {}, &pg::MigrationFile::name);
    return files;
}

}  // namespace

TEST_CASE("migrating a migrated database changes nothing") {
    TestDatabase database;
    const auto again = pg::migrate(database.superuser());
    REQUIRE(again.has_value());
    CHECK((*again).applied.empty());
    CHECK((*again).version >= 2);
    CHECK(pg::check_schema(database.dsn(pg::Role::api)).has_value());
}

TEST_CASE("a new file is applied once, as the owner, and recorded") {
    TestDatabase database;
    const auto files = files_with({"9000_more.sql", "CREATE TABLE more (one int)"});
    const auto done = pg::migrate(database.superuser(), files);
    REQUIRE(done.has_value());
    CHECK((*done).applied == std::vector<std::string>{"9000_more.sql"});
    CHECK((*done).version == 9000);
    CHECK(database.ask("SELECT tableowner FROM pg_tables WHERE tablename = 'more'") == "catenary_owner");
    CHECK(database.ask("SELECT name FROM schema_migration WHERE version = 9000") == "9000_more.sql");
}

TEST_CASE("a file that fails leaves nothing behind and names itself") {
    TestDatabase database;
    const auto done = pg::migrate(database.superuser(), files_with({"9000_bad.sql", "CREATE TABLE half (one int); SELECT no_such_function()"}));
    REQUIRE(done.has_error());
    CHECK(done.error().message.find("9000_bad.sql") != std::string::npos);
    CHECK(database.ask("SELECT to_regclass('half') IS NULL") == "t");
    CHECK(database.ask("SELECT count(*) FROM schema_migration WHERE version = 9000") == "0");
}

TEST_CASE("a database newer than the program is refused") {
    TestDatabase database;
    database.run("INSERT INTO schema_migration (version, name, sha256) VALUES (8999, '8999_future.sql', '')");
    for (const auto& message : {pg::migrate(database.superuser()).error().message, pg::check_schema(database.dsn(pg::Role::api)).error().message}) {
        CHECK(message.find("newer than this program") != std::string::npos);
        CHECK(message.find("8999_future.sql") != std::string::npos);
    }
}

TEST_CASE("a changed file is refused") {
    TestDatabase database;
    const auto done = pg::migrate(database.superuser(), files_with({"0002_results.sql", "SELECT 1"}));
    REQUIRE(done.has_error());
    CHECK(done.error().message.find("0002_results.sql") != std::string::npos);
}

TEST_CASE("a database without the schema is not served") {
    TestDatabase database;
    const auto current = pg::check_schema(database.dsn(pg::Role::api), files_with({"9000_more.sql", "SELECT 1"}));
    REQUIRE(current.has_error());
    CHECK(current.error().message.find("catenary migrate") != std::string::npos);
}

TEST_CASE("a role that may create roles and make schemas migrates an empty database") {
    TestDatabase scratch;
    const auto maintenance = scratch.superuser();
    pqxx::connection connection{maintenance.text()};
    pqxx::nontransaction plain{connection};
    plain.exec("DROP ROLE IF EXISTS deployer");
    plain.exec("CREATE ROLE deployer LOGIN CREATEROLE");
    plain.exec("CREATE DATABASE deployed OWNER deployer");
    const auto target = test_cluster().dsn("deployer", "deployed");
    const auto done = pg::migrate(target);
    CHECK((done.has_value() ? std::string{} : done.error().message) == "");
    CHECK(pg::check_schema(pg::acting_as(test_cluster().dsn("catenary", "deployed"), pg::Role::api)).has_value());
    plain.exec("DROP DATABASE deployed WITH (FORCE)");
    plain.exec("DROP OWNED BY deployer");
    plain.exec("DROP ROLE deployer");
}
