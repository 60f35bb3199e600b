#include "server/pg/database.hpp"
#include "server/pg/tenant_transaction.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

using namespace catenary;
using namespace catenary::tests;
namespace pg = server::pg;

namespace {

/// Every table with a tenant column, row-level security or not.
constexpr const char* tenant_tables_sql = R"(
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1)";

std::int64_t entities_seen(pg::Pool& pool, std::optional<engine::TenantId> tenant) {
    const auto seen = pg::tenant_transaction(pool, tenant, pg::Access::read, [](pg::TenantTransaction& transaction) {
        return transaction.exec1("SELECT count(*) FROM entity")[0].as<std::int64_t>();
    });
    REQUIRE(seen.has_value());
    return *seen;
}

void add_entities(TestDatabase& database, const TestTenant& tenant, int count) {
    for (int i = 0; i < count; ++i) {
        database.run(fmt::format("INSERT INTO entity (tenant, kind, value, identifies) VALUES ({}, 'host', 'h{}', true)", tenant.caller.tenant.value(), i));
    }
}

}  // namespace

TEST_CASE("every table that holds a tenant's rows forces row-level security") {
    TestDatabase database;
    pqxx::connection connection{database.superuser().text()};
    pqxx::work transaction{connection};
    std::size_t tables = 0;
    for (const auto& row : transaction.exec(tenant_tables_sql)) {
        CAPTURE(row[0].c_str());
        const auto forced = transaction.exec_params1("SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = $1::regclass", row[0].c_str());
        CHECK(forced[0].as<bool>());
        ++tables;
    }
    CHECK(tables >= 12);
}

TEST_CASE("a request sees its own tenant's rows, and none without a tenant") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    add_entities(database, first, 2);
    add_entities(database, second, 3);
    CHECK(entities_seen(database.api(), std::nullopt) == 0);
    CHECK(entities_seen(database.api(), first.caller.tenant) == 2);
    CHECK(entities_seen(database.api(), second.caller.tenant) == 3);
    CHECK(entities_seen(database.api(), std::nullopt) == 0);  // the tenant ended with its transaction
}

TEST_CASE("a request cannot write for another tenant, not even through the owner's functions") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    for (const auto& sql :
         {fmt::format("SELECT append_control({}, 'watermark', '{{}}')", second.caller.tenant.value()),
          fmt::format("INSERT INTO api_key (id, tenant, secret_sha256, scopes) VALUES ('x', {}, sha256('x'), 1)", second.caller.tenant.value()),
          std::string{"SELECT ensure_leaf(DATE '2026-01-01')"}, std::string{"INSERT INTO entity (tenant, kind, value, identifies) VALUES (1, 'a', 'b', true)"},
          std::string{"SELECT hash_key FROM layout"}, std::string{"SELECT * FROM tenant"}, std::string{"UPDATE lane SET done = 0"},
          std::string{"SELECT * FROM signal_y1990"}}) {
        CAPTURE(sql);
        const auto done =
            pg::tenant_transaction(database.api(), first.caller.tenant, pg::Access::write, [&](pg::TenantTransaction& transaction) { transaction.exec(sql); });
        REQUIRE(done.has_error());
        CHECK(done.error().sqlstate == "42501");
    }
    CHECK(database.ask("SELECT count(*) FROM control") == "0");
}

TEST_CASE("a request appends to its own tenant's log, in its lane's batches") {
    TestDatabase database;
    database.add_tenant("first");
    const auto second = database.add_tenant("second");
    const auto position = pg::tenant_transaction(database.api(), second.caller.tenant, pg::Access::write, [&](pg::TenantTransaction& transaction) {
        return transaction.exec_params1("SELECT append_control($1, 'watermark', '{}')", second.caller.tenant.value())[0].as<std::int64_t>();
    });
    REQUIRE(position.has_value());
    CHECK(database.ask("SELECT lane || ' ' || first || ' ' || last || ' ' || control FROM batch") == fmt::format("1 {0} {0} true", *position));
}

TEST_CASE("the committer and the lane see every tenant's signals log, but only they") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    add_entities(database, first, 2);
    add_entities(database, second, 3);
    for (const auto role : {pg::Role::ingest, pg::Role::lane}) {
        pqxx::connection connection{database.dsn(role).text()};
        CHECK(pqxx::work{connection}.exec1("SELECT count(*) FROM entity")[0].as<int>() == 5);
    }
}

TEST_CASE("the server does not log in as a role that could pass row-level security") {
    TestDatabase database;
    database.run(
        "DROP ROLE IF EXISTS bypasser; DROP ROLE IF EXISTS owner_like; DROP ROLE IF EXISTS outsider;"
        "CREATE ROLE bypasser LOGIN BYPASSRLS; CREATE ROLE owner_like LOGIN; CREATE ROLE outsider LOGIN;"
        "GRANT catenary_owner TO owner_like;"
        "GRANT catenary_api, catenary_ingest, catenary_lane TO bypasser, owner_like");
    struct Case {
        std::string role, reason;
    };
    for (const auto& [role, reason] : {Case{"postgres", "superuser"}, Case{"bypasser", "bypass"}, Case{"owner_like", "catenary_owner"},
                                       Case{"outsider", "three roles"}, Case{"nobody_at_all", "cannot log in"}}) {
        CAPTURE(role);
        const auto checked = pg::check_login(test_cluster().dsn(role, database.name()));
        REQUIRE(checked.has_error());
        CHECK(checked.error().message.find(reason) != std::string::npos);
    }
    CHECK(pg::check_login(database.login()).has_value());
    database.run("DROP ROLE bypasser; DROP ROLE owner_like; DROP ROLE outsider");
}
