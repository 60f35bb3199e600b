#include "server/pg/reply_store.hpp"

#include "server/pg/sealed_reply.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace catenary;
using namespace catenary::tests;
namespace pg = server::pg;
using State = server::net::RememberedReplies::State;

namespace {

api::http::Request keyed(const std::string& key, const std::string& body = "{}") {
    api::http::Request request;
    request.method = api::http::Method::post;
    request.target = "/api/v1/keys";
    request.content_type = "application/json";
    request.idempotency_key = key;
    request.body = body;
    return request;
}

const api::http::Response made{201, "application/json", {{"Location", "/api/v1/keys/k"}}, R"({"key":"cat_shown_once"})"};

State state_of(pg::ReplyStore& store, const api::http::Request& request, const TestTenant& tenant) {
    const auto claim = store.claim(request, tenant.caller, tenant.key);
    REQUIRE(claim.has_value());
    return (*claim).state;
}

}  // namespace

TEST_CASE("a kept reply comes back to the same request") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    pg::ReplyStore store{database.api()};
    CHECK(state_of(store, keyed("a"), tenant) == State::ours);
    CHECK(state_of(store, keyed("a"), tenant) == State::unfinished);
    store.keep(keyed("a"), tenant.caller, tenant.key, made);
    const auto again = store.claim(keyed("a"), tenant.caller, tenant.key);
    REQUIRE(again.has_value());
    CHECK((*again).state == State::answered);
    CHECK((*again).reply.status == 201);
    CHECK((*again).reply.content_type == "application/json");
    CHECK((*again).reply.headers == made.headers);
    CHECK((*again).reply.body == made.body);
    CHECK(state_of(store, keyed("b"), tenant) == State::ours);
}

TEST_CASE("a key stands for one request: another body, path or type is another one") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    pg::ReplyStore store{database.api()};
    CHECK(state_of(store, keyed("a"), tenant) == State::ours);
    CHECK(state_of(store, keyed("a", "{ }"), tenant) == State::other_request);
    auto other = keyed("a");
    other.target = "/api/v1/tenants";
    CHECK(state_of(store, other, tenant) == State::other_request);
    other = keyed("a");
    other.content_type = "application/yaml";
    CHECK(state_of(store, other, tenant) == State::other_request);
}

TEST_CASE("a forgotten key is free again, and an old one as well") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    pg::ReplyStore store{database.api()};
    CHECK(state_of(store, keyed("a"), tenant) == State::ours);
    store.forget(keyed("a"), tenant.caller);
    CHECK(state_of(store, keyed("a", "other"), tenant) == State::ours);
    store.keep(keyed("a", "other"), tenant.caller, tenant.key, made);
    database.run("UPDATE remembered_reply SET made = now() - interval '24 hours 1 second'");
    CHECK(state_of(store, keyed("a"), tenant) == State::ours);
    CHECK(state_of(store, keyed("a"), tenant) == State::unfinished);
    CHECK(database.ask("SELECT count(*) FROM remembered_reply") == "1");
}

TEST_CASE("idempotency keys of different API keys and tenants are different keys") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    pg::ReplyStore store{database.api()};
    CHECK(state_of(store, keyed("a"), first) == State::ours);
    CHECK(state_of(store, keyed("a"), second) == State::ours);
    auto colleague = first;
    colleague.caller.key_id = "another";
    CHECK(state_of(store, keyed("a"), colleague) == State::ours);
}

TEST_CASE("a tenant's remembered replies are bounded") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    pg::ReplyStore store{database.api()};
    CHECK(state_of(store, keyed("a"), tenant) == State::ours);
    database.run(
        "INSERT INTO remembered_reply (tenant, key_id, key, request) SELECT min(id), 'k', n::text, sha256('x') FROM tenant, generate_series(1, 9999) n GROUP "
        "BY n");
    CHECK(state_of(store, keyed("b"), tenant) == State::full);
    CHECK(state_of(store, keyed("a"), tenant) == State::unfinished);  // known ones are still told apart
}

TEST_CASE("only the secret that sealed a reply opens it") {
    const auto sealed = pg::seal_reply(made, "secret");
    CHECK(sealed.find("shown_once") == std::string::npos);
    CHECK(sealed != pg::seal_reply(made, "secret"));
    CHECK(pg::open_reply(sealed, "secret")->body == made.body);
    CHECK_FALSE(pg::open_reply(sealed, "another").has_value());
    auto altered = sealed;
    altered.back() = static_cast<char>(altered.back() ^ 1);
    CHECK_FALSE(pg::open_reply(altered, "secret").has_value());
    CHECK_FALSE(pg::open_reply("short", "secret").has_value());
}
