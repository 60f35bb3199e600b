#include "server/pg/reply_store.hpp"

#include "server/pg/control_log.hpp"
#include "server/pg/keyed_effect.hpp"
#include "server/pg/pattern_version_store.hpp"
#include "server/pg/sealed_reply.hpp"
#include "server/pg/tenant_store.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
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

api::ports::PatternVersion pattern(const std::string& id) {
    api::ports::PatternVersion version;
    version.id = id;
    version.document_json = R"({"id":")" + id + R"("})";
    return version;
}

/// One run of a request: what is known of it, and the caller whose writes it holds.
struct Run {
    Run(TestDatabase& database, const TestTenant& tenant, const api::http::Request& request) : caller{tenant.caller} {
        auto claimed = pg::ReplyStore{database.api()}.claim(request, caller, tenant.key);
        REQUIRE(claimed.has_value());
        claim = *std::move(claimed);
        caller.effect_key = claim.effect.get();
    }
    State state() const { return claim.state; }
    void keep() const { REQUIRE(claim.effect->keep(made).has_value()); }
    /// What a process that is killed leaves: its connection breaks, nothing more is said.
    void crash() { claim.effect.reset(); }
    api::Caller caller;
    server::net::RememberedReplies::Claim claim;
};

struct Fixture {
    Run run(const std::string& key, const std::string& body = "{}") { return {database, tenant, keyed(key, body)}; }
    std::string patterns() { return database.ask("SELECT count(*) FROM pattern"); }
    std::string rows() { return database.ask("SELECT count(*) FROM remembered_reply"); }
    TestDatabase database;
    TestTenant tenant = database.add_tenant("first");
    pg::PatternVersionStore store{database.api()};
};

}  // namespace

TEST_CASE("an effect and its reply are committed together, and the reply comes back to the same request") {
    Fixture f;
    auto first = f.run("a");
    REQUIRE(f.store.add(first.caller, pattern("mine"), {}).has_value());
    CHECK(f.patterns() == "0");  // not before its reply
    first.keep();
    CHECK(f.patterns() == "1");
    CHECK(f.database.ask("SELECT count(*) FROM control") == "1");
    const auto again = f.run("a");
    CHECK(again.state() == State::answered);
    CHECK(again.claim.reply.status == 201);
    CHECK(again.claim.reply.content_type == "application/json");
    CHECK(again.claim.reply.headers == made.headers);
    CHECK(again.claim.reply.body == made.body);
    CHECK(f.run("b").state() == State::run);
}

TEST_CASE("a process that ends before the reply is made has done nothing, and the same request runs again") {
    Fixture f;
    auto first = f.run("a");
    REQUIRE(f.store.add(first.caller, pattern("mine"), {}).has_value());
    SUBCASE("it is killed") { first.crash(); }
    SUBCASE("it loses the database") {
        f.database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'");
        const auto kept = first.claim.effect->keep(made);
        REQUIRE(kept.has_error());
        CHECK(kept.error().code == api::ports::FailureCode::unavailable);
    }
    SUBCASE("it refuses the request") { first.claim.effect->forget(); }
    CHECK(f.patterns() == "0");
    CHECK(f.rows() == "0");
    CHECK(f.database.ask("SELECT count(*) FROM control") == "0");
    auto second = f.run("a");
    REQUIRE(second.state() == State::run);
    CHECK_FALSE(second.caller.repeats());
    REQUIRE(f.store.add(second.caller, pattern("mine"), {}).has_value());
    second.keep();
    CHECK(f.patterns() == "1");
    CHECK(f.run("a").state() == State::answered);
}

TEST_CASE("the lane is told of an entry once it is committed") {
    Fixture f;
    pg::LaneProgress progress;
    int told = 0;
    pg::PgControlLog log{f.database.api(), progress, [&] { ++told; }};
    auto run = f.run("a");
    REQUIRE(log.watermark(run.caller, {engine::from_micros(1'772'750'831'000'000), false}).has_value());
    CHECK(told == 0);
    run.keep();
    CHECK(told == 1);
}

TEST_CASE("an effect committed before its reply is known by its entry") {
    Fixture f;
    auto first = f.run("a");
    auto* effect = pg::KeyedEffect::of(first.caller);
    REQUIRE(f.store.add(first.caller, pattern("mine"), {}).has_value());
    REQUIRE(effect->commit_at(engine::Position{7}).has_value());
    CHECK(f.patterns() == "1");
    SUBCASE("and the process ends") { first.crash(); }
    SUBCASE("and the reply is refused") {
        effect->forget();
        CHECK(f.rows() == "0");
        CHECK_FALSE(f.run("a").caller.repeats());
        return;
    }
    auto second = f.run("a");
    REQUIRE(second.state() == State::run);
    CHECK(second.caller.effect_key->written() == engine::Position{7});
    CHECK(f.run("a", "other").state() == State::other_request);
    second.keep();
    CHECK(f.run("a").state() == State::answered);
}

TEST_CASE("of two requests with one key the second waits for the first and does nothing") {
    Fixture f;
    auto first = f.run("a");
    auto second = f.run("a");
    REQUIRE(f.store.add(first.caller, pattern("mine"), {}).has_value());
    auto slower = std::async(std::launch::async, [&] { return f.store.add(second.caller, pattern("mine"), {}).has_value(); });
    CHECK(slower.wait_for(50ms) == std::future_status::timeout);
    SUBCASE("which takes effect") {
        first.keep();
        CHECK_FALSE(slower.get());
        CHECK(second.claim.effect->overtaken());
        CHECK(f.run("a").state() == State::answered);
    }
    SUBCASE("which is refused") {
        first.claim.effect->forget();
        CHECK(slower.get());
        second.keep();
    }
    CHECK(f.patterns() == "1");
}

TEST_CASE("a request that writes twice does both or neither") {
    Fixture f;
    pg::TenantStore tenants{f.database.api()};
    const auto keys = f.database.ask("SELECT count(*) FROM api_key");
    auto run = f.run("a");
    api::ports::KeyRow wanted;
    wanted.scopes = 1;
    REQUIRE(tenants.add_key(run.caller, wanted).has_value());
    CHECK(tenants.remove_key(run.caller, "none").error().code == api::ports::FailureCode::not_found);
    CHECK(f.database.ask("SELECT count(*) FROM api_key") == keys);
    CHECK(f.rows() == "0");
}

TEST_CASE("a key stands for one request: another body, path or type is another one") {
    Fixture f;
    auto run = f.run("a");
    REQUIRE(f.store.add(run.caller, pattern("mine"), {}).has_value());
    run.keep();
    CHECK(f.run("a", "{ }").state() == State::other_request);
    auto other = keyed("a");
    other.target = "/api/v1/tenants";
    CHECK(Run{f.database, f.tenant, other}.state() == State::other_request);
    other = keyed("a");
    other.content_type = "application/yaml";
    CHECK(Run{f.database, f.tenant, other}.state() == State::other_request);
}

TEST_CASE("after a day a key is free again") {
    Fixture f;
    for (const auto* id : {"mine", "another"}) {
        auto run = f.run("a", id);
        REQUIRE(run.state() == State::run);
        REQUIRE(f.store.add(run.caller, pattern(id), {}).has_value());
        run.keep();
        CHECK(f.run("a", id).state() == State::answered);
        f.database.run("UPDATE remembered_reply SET made = now() - interval '24 hours 1 second'");
    }
    CHECK(f.patterns() == "2");
}

TEST_CASE("idempotency keys of different API keys and tenants are different keys") {
    Fixture f;
    auto run = f.run("a");
    REQUIRE(f.store.add(run.caller, pattern("mine"), {}).has_value());
    run.keep();
    const auto second = f.database.add_tenant("second");
    CHECK(Run{f.database, second, keyed("a")}.state() == State::run);
    auto colleague = f.tenant;
    colleague.caller.key_id = "another";
    CHECK(Run{f.database, colleague, keyed("a")}.state() == State::run);
}

TEST_CASE("a tenant's remembered replies are bounded") {
    Fixture f;
    auto run = f.run("a");
    REQUIRE(f.store.add(run.caller, pattern("mine"), {}).has_value());
    run.keep();
    f.database.run(
        "INSERT INTO remembered_reply (tenant, key_id, key, request, position) SELECT min(id), 'k', n::text, sha256('x'), 1 FROM tenant, "
        "generate_series(1, 9999) n GROUP BY n");
    CHECK(f.run("b").state() == State::full);
    CHECK(f.run("a").state() == State::answered);  // known ones are still told apart
}

TEST_CASE("a request that writes nothing leaves nothing") {
    Fixture f;
    f.run("a").keep();
    CHECK(f.rows() == "0");
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
