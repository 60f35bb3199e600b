#include "server/auth/key_authenticator.hpp"

#include "server/auth/api_key.hpp"
#include "server/pg/tenant_store.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <vector>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
namespace auth = server::auth;
namespace pg = server::pg;

TEST_CASE("a key names its tenant, scopes and sources") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    pg::TenantStore tenants{database.api()};
    const auto limited = tenants.add_key(second.caller, {"", static_cast<std::uint16_t>(api::Scope::signals_write), {"edr", "proxy"}, {}, {}, {}});
    REQUIRE(limited.has_value());
    auth::KeyAuthenticator authenticator{database.api()};

    const auto operators = authenticator.authenticate(first.key);
    REQUIRE(operators.has_value());
    REQUIRE((*operators).has_value());
    CHECK((**operators).tenant == first.caller.tenant);
    CHECK((**operators).operator_tenant);
    CHECK((**operators).scopes == auth::every_scope());

    const auto other = authenticator.authenticate((*limited).key);
    REQUIRE(other.has_value());
    REQUIRE((*other).has_value());
    CHECK((**other).tenant == second.caller.tenant);
    CHECK((**other).tenant_name == "second");
    CHECK_FALSE((**other).operator_tenant);
    CHECK((**other).may(api::Scope::signals_write));
    CHECK_FALSE((**other).may(api::Scope::admin));
    CHECK((**other).sources == std::set<std::string>{"edr", "proxy"});
    CHECK(authenticator.cached((*limited).key)->key_id == (*limited).row.id);
}

TEST_CASE("a wrong secret, an unknown id and other text are nobody") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    auth::KeyAuthenticator authenticator{database.api()};
    auto wrong = tenant.key;
    wrong.back() = wrong.back() == '0' ? '1' : '0';
    for (const auto& token : {wrong, auth::make_api_key().text, std::string{"Bearer"}, std::string{}}) {
        const auto found = authenticator.authenticate(token);
        REQUIRE(found.has_value());
        CHECK_FALSE((*found).has_value());
        CHECK_FALSE(authenticator.cached(token).has_value());
    }
}

TEST_CASE("a token that was refused is refused from memory, as many as fit") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    auth::KeyAuthenticator authenticator{database.api()};
    const auto stranger = auth::make_api_key().text;
    for (int i = 0; i < 5; ++i) CHECK_FALSE((*authenticator.authenticate(stranger)).has_value());
    CHECK(authenticator.usage().look_ups == 1);
    CHECK(authenticator.usage().strangers == 1);
    CHECK_FALSE((*authenticator.authenticate("cat_no_key")).has_value());
    CHECK(authenticator.usage().look_ups == 1);  // what has not the form of a key is nobody's
    CHECK((*authenticator.authenticate(tenant.key)).has_value());
    CHECK(authenticator.usage().look_ups == 2);
}

TEST_CASE("a withdrawn key stops working when it is forgotten") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    auth::KeyAuthenticator forgetful{database.api(), 0ms};
    auth::KeyAuthenticator remembering{database.api(), 1h};
    REQUIRE((*forgetful.authenticate(tenant.key)).has_value());
    REQUIRE((*remembering.authenticate(tenant.key)).has_value());
    pg::TenantStore tenants{database.api()};
    REQUIRE(tenants.remove_key(tenant.caller, tenant.caller.key_id).has_value());
    CHECK_FALSE((*forgetful.authenticate(tenant.key)).has_value());
    CHECK((*remembering.authenticate(tenant.key)).has_value());
}

TEST_CASE("an expired key is nobody, and the last use of a key is kept") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    auth::KeyAuthenticator authenticator{database.api(), 0ms};
    REQUIRE((*authenticator.authenticate(tenant.key)).has_value());
    CHECK(database.ask("SELECT last_used IS NOT NULL FROM api_key") == "t");
    database.run("UPDATE api_key SET expires = now() - interval '1 second'");
    CHECK_FALSE((*authenticator.authenticate(tenant.key)).has_value());
}

TEST_CASE("without a database nobody is refused: the answer is that it is unavailable") {
    pg::Pool pool{pg::Dsn{{{"host", "/tmp/catenary-no-such-folder"}, {"user", "catenary"}, {"dbname", "catenary"}}}, 1, 1s};
    auth::KeyAuthenticator authenticator{pool};
    const auto found = authenticator.authenticate(auth::make_api_key().text);
    REQUIRE(found.has_error());
    CHECK(found.error().code == api::ports::FailureCode::unavailable);
}
