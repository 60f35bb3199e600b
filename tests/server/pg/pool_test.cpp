#include "server/pg/pool.hpp"

#include "server/pg/tenant_transaction.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <thread>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
namespace pg = server::pg;

namespace {

pg::StoreResult<int> backend_of(pg::Pool& pool) {
    return pg::tenant_transaction(pool, std::nullopt, pg::Access::read,
                                  [](pg::TenantTransaction& transaction) { return transaction.exec1("SELECT pg_backend_pid()")[0].as<int>(); });
}

}  // namespace

TEST_CASE("a connection is used again") {
    TestDatabase database;
    pg::Pool pool{database.dsn(pg::Role::api), 2, 1s};
    const auto first = backend_of(pool);
    REQUIRE(first.has_value());
    CHECK(*backend_of(pool) == *first);
    CHECK(pool.usage().open == 1);
}

TEST_CASE("waiting for a connection ends at the deadline and is counted") {
    TestDatabase database;
    pg::Pool pool{database.dsn(pg::Role::api), 1, 50ms};
    auto held = pool.lease();
    REQUIRE(held.has_value());
    const auto begun = std::chrono::steady_clock::now();
    const auto second = pool.lease();
    REQUIRE(second.has_error());
    CHECK(second.error().code == pg::StoreErrorCode::too_slow);
    CHECK(std::chrono::steady_clock::now() - begun >= 50ms);
    CHECK(pool.usage().timeouts == 1);
    CHECK(pool.usage().in_use == 1);
}

TEST_CASE("a waiting thread gets the connection that is given back") {
    TestDatabase database;
    pg::Pool pool{database.dsn(pg::Role::api), 1, 10s};
    std::optional<pg::Pool::Lease> held{*pool.lease()};
    bool served = false;
    std::thread waiter{[&] { served = pool.lease().has_value(); }};
    held.reset();
    waiter.join();
    CHECK(served);
    CHECK(pool.usage().in_use == 0);
}

TEST_CASE("a connection killed while idle is replaced without the caller noticing") {
    TestDatabase database;
    const auto first = backend_of(database.api());
    REQUIRE(first.has_value());
    database.run(fmt::format("SELECT pg_terminate_backend({}, 5000)", *first));
    const auto second = backend_of(database.api());
    REQUIRE(second.has_value());
    CHECK(*second != *first);
    CHECK(database.api().usage().open == 1);
}

TEST_CASE("a connection killed during its work is an error once and is not used again") {
    TestDatabase database;
    int runs = 0;
    const auto broken = pg::tenant_transaction(database.api(), std::nullopt, pg::Access::write, [&](pg::TenantTransaction& transaction) {
        ++runs;
        const int backend = transaction.exec1("SELECT pg_backend_pid()")[0].as<int>();
        database.run(fmt::format("SELECT pg_terminate_backend({}, 5000)", backend));
        transaction.exec("SELECT 1");
    });
    REQUIRE(broken.has_error());
    CHECK(broken.error().code == pg::StoreErrorCode::unavailable);
    CHECK(runs == 1);
    CHECK(backend_of(database.api()).has_value());
}

TEST_CASE("a COMMIT without an answer leaves the outcome unknown") {
    TestDatabase database;
    const auto lost = pg::tenant_transaction(database.api(), std::nullopt, pg::Access::write, [&](pg::TenantTransaction& transaction) {
        const int backend = transaction.exec1("SELECT pg_backend_pid()")[0].as<int>();
        database.run(fmt::format("SELECT pg_terminate_backend({}, 5000)", backend));
    });
    REQUIRE(lost.has_error());
    CHECK(lost.error().code == pg::StoreErrorCode::outcome_unknown);
}

TEST_CASE("a server that is not there is unavailable") {
    pg::Pool pool{pg::Dsn{{{"host", "/tmp/catenary-no-such-folder"}, {"user", "catenary"}, {"dbname", "catenary"}}}, 1, 1s};
    const auto lease = pool.lease();
    REQUIRE(lease.has_error());
    CHECK(lease.error().code == pg::StoreErrorCode::unavailable);
    CHECK(pool.usage().in_use == 0);
}

TEST_CASE("a statement that takes too long is stopped and said to be too slow") {
    TestDatabase database;
    pg::Pool pool{database.dsn(pg::Role::api).with_setting("statement_timeout", "30"), 1, 1s};
    const auto slow =
        pg::tenant_transaction(pool, std::nullopt, pg::Access::read, [](pg::TenantTransaction& transaction) { transaction.exec("SELECT pg_sleep(10)"); });
    REQUIRE(slow.has_error());
    CHECK(slow.error().code == pg::StoreErrorCode::too_slow);
    CHECK(backend_of(pool).has_value());
}

TEST_CASE("each failure has its own code") {
    TestDatabase database;
    database.run("CREATE TABLE probe (one int PRIMARY KEY); GRANT ALL ON probe TO catenary_api; INSERT INTO probe VALUES (1)");
    struct Case {
        const char* sql;
        pg::StoreErrorCode code;
    };
    for (const auto& [sql, code] :
         {Case{"INSERT INTO probe VALUES (1)", pg::StoreErrorCode::conflict}, Case{"SELECT no_such_column", pg::StoreErrorCode::refused},
          Case{"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$", pg::StoreErrorCode::retry},
          Case{"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$", pg::StoreErrorCode::retry},
          Case{"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END $$", pg::StoreErrorCode::unavailable}}) {
        CAPTURE(sql);
        const auto done =
            pg::tenant_transaction(database.api(), std::nullopt, pg::Access::write, [&](pg::TenantTransaction& transaction) { transaction.exec(sql); });
        REQUIRE(done.has_error());
        CHECK(pg::to_string(done.error().code) == pg::to_string(code));
    }
}

TEST_CASE("what SQL says never reaches a client") {
    for (const auto code : {pg::StoreErrorCode::unavailable, pg::StoreErrorCode::outcome_unknown, pg::StoreErrorCode::retry, pg::StoreErrorCode::too_slow,
                            pg::StoreErrorCode::conflict, pg::StoreErrorCode::refused}) {
        CHECK(pg::to_failure({code, "relation \"secret\" at /var/lib"}, "probe").detail.find("secret") == std::string::npos);
    }
    CHECK(pg::to_failure({pg::StoreErrorCode::stale, "revision 3"}, "probe").detail == "revision 3");
}
