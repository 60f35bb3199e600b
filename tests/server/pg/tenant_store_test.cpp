#include "server/pg/tenant_store.hpp"

#include "server/auth/key_authenticator.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <set>
#include <string>
#include <vector>

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

TEST_CASE("a rotated key goes on beside its successor, then ends") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    pg::TenantStore tenants{database.api()};
    server::auth::KeyAuthenticator authenticator{database.api(), std::chrono::milliseconds{0}};
    const auto old = tenants.add_key(first.caller, {"", 5, {"edr", "proxy"}, {}, {}, {}});
    REQUIRE(old.has_value());

    const auto rotated = tenants.rotate_key(first.caller, (*old).row.id, {std::chrono::hours{1}, {}});
    REQUIRE(rotated.has_value());
    CHECK((*rotated).made.row.scopes == 5);
    CHECK((*rotated).made.row.sources == std::vector<std::string>{"edr", "proxy"});
    CHECK_FALSE((*rotated).made.row.expires.has_value());
    CHECK((*rotated).replaced == (*old).row.id);
    const auto overlap = (*rotated).replaced_expires - (*rotated).made.row.created;
    CHECK(overlap >= std::chrono::hours{1});
    CHECK(overlap < std::chrono::minutes{62});
    CHECK((*authenticator.authenticate((*old).key)).has_value());
    const auto caller = *authenticator.authenticate((*rotated).made.key);
    REQUIRE(caller.has_value());
    CHECK(caller->sources == std::set<std::string>{"edr", "proxy"});

    REQUIRE(tenants.rotate_key(first.caller, (*old).row.id, {{}, {}}).has_value());
    CHECK_FALSE((*authenticator.authenticate((*old).key)).has_value());
    CHECK(tenants.rotate_key(first.caller, (*old).row.id, {std::chrono::hours{1}, {}}).error().code == FailureCode::not_found);  // it has ended
    CHECK(tenants.rotate_key(second.caller, (*rotated).made.row.id, {}).error().code == FailureCode::not_found);
}

TEST_CASE("a successor lives as long as the key was made for, and a rotation never lengthens the old one's life") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    pg::TenantStore tenants{database.api()};
    const auto old = tenants.add_key(tenant.caller, {"", 1, {}, {}, {}, {}});
    REQUIRE(old.has_value());
    database.run("UPDATE api_key SET created = now() - interval '9 days', expires = now() + interval '1 day' WHERE id = '" + (*old).row.id + "'");
    const auto rotated = tenants.rotate_key(tenant.caller, (*old).row.id, {std::chrono::hours{24 * 30}, {}});
    REQUIRE(rotated.has_value());
    REQUIRE((*rotated).made.row.expires.has_value());
    const auto life = *(*rotated).made.row.expires - (*rotated).made.row.created;
    CHECK(life > std::chrono::hours{24 * 10} - std::chrono::minutes{1});
    CHECK(life < std::chrono::hours{24 * 10} + std::chrono::minutes{1});
    CHECK((*rotated).replaced_expires - (*rotated).made.row.created < std::chrono::hours{25});
}

TEST_CASE("what is administered is audited with its actor, in the transaction of the change, and only for its tenant") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    pg::TenantStore tenants{database.api()};
    const auto before = tenants.audit(first.caller, {}, {});
    REQUIRE(before.has_value());
    for (const auto& row : (*before).items) CHECK(row.actor == "server");

    const auto made = tenants.add_key(first.caller, {"", 3, {"edr"}, {}, {}, {}});
    REQUIRE(made.has_value());
    REQUIRE(tenants.rotate_key(first.caller, (*made).row.id, {std::chrono::hours{1}, {}}).has_value());
    REQUIRE(tenants.remove_key(first.caller, (*made).row.id).has_value());
    REQUIRE(tenants.add(first.caller, "acme").has_value());
    CHECK(tenants.add(first.caller, "acme").has_error());  // rolled back, with its line

    api::ports::AuditFilter own;
    own.actors = {first.caller.key_id};
    std::vector<std::string> actions;
    api::ports::PageRequest request{2, ""};
    for (bool more = true; more;) {
        const auto page = tenants.audit(first.caller, own, request);
        REQUIRE(page.has_value());
        for (const auto& row : (*page).items) actions.push_back(row.action);
        more = (*page).next.has_value();
        request.after = (*page).next.value_or("");
    }
    CHECK(actions == std::vector<std::string>{"tenant_added", "key_removed", "key_changed", "key_added", "key_added"});

    own.actions = {"key_added"};
    own.targets = {(*made).row.id};
    const auto added = tenants.audit(first.caller, own, {});
    REQUIRE(added.has_value());
    REQUIRE((*added).items.size() == 1);
    const auto detail = nlohmann::json::parse((*added).items[0].detail_json);
    CHECK(detail["scopes"] == nlohmann::json{"signals:write", "signals:read"});
    CHECK(detail["sources"] == nlohmann::json{"edr"});
    CHECK((*added).items[0].detail_json.find((*made).key) == std::string::npos);

    own = {};
    own.time = {(*added).items[0].time, (*added).items[0].time + std::chrono::microseconds{1}};
    CHECK((*tenants.audit(first.caller, own, {})).items.size() == 1);
    const auto audit = tenants.audit(second.caller, {}, {});
    for (const auto& row : (*audit).items) CHECK(row.target == second.caller.key_id);
    CHECK(tenants.audit(first.caller, {}, {10, "nonsense"}).error().code == FailureCode::invalid);
}

TEST_CASE("a use of a key is no change of it") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    server::auth::KeyAuthenticator authenticator{database.api(), std::chrono::milliseconds{0}};
    const auto lines = database.ask("SELECT count(*) FROM audit");
    REQUIRE((*authenticator.authenticate(tenant.key)).has_value());
    CHECK(database.ask("SELECT count(*) FROM audit") == lines);
}
