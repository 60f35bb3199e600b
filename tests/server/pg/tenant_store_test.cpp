#include "server/pg/tenant_store.hpp"

#include "server/auth/key_authenticator.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace catenary;
using namespace catenary::tests;
namespace pg = server::pg;
using api::ports::FailureCode;

TEST_CASE("the first start makes the operator's tenant once, and only with its key kept") {
    TestDatabase database;
    pg::TenantStore tenants{database.api()};
    const auto failed = tenants.make_first_tenant([](const std::string&) { return false; });
    CHECK(failed.has_error());
    CHECK(database.ask("SELECT count(*) FROM tenant") == "0");

    std::string kept;
    const auto made = tenants.make_first_tenant([&](const std::string& key) {
        kept = key;
        return true;
    });
    REQUIRE(made.has_value());
    CHECK(*made);
    server::auth::KeyAuthenticator authenticator{database.api()};
    const auto caller = *authenticator.authenticate(kept);
    REQUIRE(caller.has_value());
    CHECK(caller->operator_tenant);
    CHECK(caller->tenant_name == "operator");

    const auto again = tenants.make_first_tenant([](const std::string&) { return true; });
    REQUIRE(again.has_value());
    CHECK_FALSE(*again);
}

TEST_CASE("the operator makes and lists tenants; others cannot") {
    TestDatabase database;
    const auto first = database.add_tenant("operator");
    pg::TenantStore tenants{database.api()};
    std::set<std::string> expected{"operator"};
    for (const auto* name : {"acme", "globex", "initech", "umbrella"}) {
        REQUIRE(tenants.add(first.caller, name).has_value());
        expected.insert(name);
    }
    CHECK(tenants.add(first.caller, "acme").error().code == FailureCode::conflict);
    CHECK(tenants.add(first.caller, "").error().code == FailureCode::invalid);
    CHECK(tenants.add(first.caller, std::string(129, 'x')).error().code == FailureCode::invalid);

    std::set<std::string> seen;
    api::ports::PageRequest request{2, ""};
    for (bool more = true; more;) {
        const auto page = tenants.page(first.caller, request);
        REQUIRE(page.has_value());
        for (const auto& row : (*page).items) CHECK(seen.insert(row.name).second);
        more = (*page).next.has_value();
        request.after = (*page).next.value_or("");
    }
    CHECK(seen == expected);

    const auto other = database.add_tenant("other");
    CHECK(tenants.add(other.caller, "mine").error().code == FailureCode::not_found);
    CHECK(tenants.page(other.caller, {}).error().code == FailureCode::not_found);
}

TEST_CASE("keys are listed, made and withdrawn within their tenant") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    pg::TenantStore tenants{database.api()};
    std::set<std::string> expected{first.caller.key_id};
    for (int i = 0; i < 5; ++i) {
        const auto made = tenants.add_key(first.caller, {"", 3, {}, {}, {}, {}});
        REQUIRE(made.has_value());
        CHECK((*made).row.scopes == 3);
        expected.insert((*made).row.id);
    }
    std::set<std::string> seen;
    api::ports::PageRequest request{2, ""};
    for (bool more = true; more;) {
        const auto page = tenants.keys(first.caller, request);
        REQUIRE(page.has_value());
        for (const auto& row : (*page).items) CHECK(seen.insert(row.id).second);
        more = (*page).next.has_value();
        request.after = (*page).next.value_or("");
    }
    CHECK(seen == expected);
    CHECK(tenants.remove_key(second.caller, first.caller.key_id).error().code == FailureCode::not_found);
    CHECK(tenants.remove_key(first.caller, first.caller.key_id).has_value());
    CHECK(tenants.remove_key(first.caller, first.caller.key_id).error().code == FailureCode::not_found);
    CHECK(tenants.keys(first.caller, {10, "nonsense"}).error().code == FailureCode::invalid);
}
