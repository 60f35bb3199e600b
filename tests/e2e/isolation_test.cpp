#include "api/http/target.hpp"
#include "api/routes.hpp"
#include "tests/e2e/isolation_probes.hpp"
#include "tests/e2e/tenant_world.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <pqxx/pqxx>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <thread>

// The key of one tenant with the ids of another, at every route of a whole server: nothing is read, nothing is changed.

using namespace catenary::tests;
using catenary::api::http::Method;
using catenary::server::ApiClient;
using catenary::server::ApiReply;
using nlohmann::json;

namespace {

constexpr int incidents_of_owner = 2;

std::string operation(Method method, std::string_view path) { return method_name(method) + " " + std::string{path}; }

/// The row of the table of routes that a probe reaches.
std::string operation(const Probe& probe) {
    const auto target = catenary::api::http::parse_target(probe.path);
    REQUIRE(target.has_value());
    const auto* route = catenary::api::find_route(probe.method, target->segments).route;
    REQUIRE_MESSAGE(route != nullptr, probe.path);
    return operation(probe.method, route->path);
}

std::string sent_text(const Probe& probe) { return probe.path + " " + (probe.body.is_null() ? "" : probe.body.dump()); }

ApiReply send(const ServerProcess& server, TenantWorld& tenant, const Probe& probe) {
    const auto body = probe.body.is_null() ? "" : probe.body.dump();
    ApiClient::Request request{.method = method_name(probe.method), .path = probe.path, .body = body, .headers = {}};
    if (body.empty()) request.content_type.clear();
    if (!probe.idempotency_key.empty()) request.headers.push_back("Idempotency-Key: " + probe.idempotency_key);
    // "The database was busy: try again": lanes and connectors write beside it.
    for (int tries = 0; !probe.is_hook; ++tries) {
        auto reply = tenant.send(request);
        if (reply.status != 503 || tries == 50) return reply;
        std::this_thread::sleep_for(std::chrono::milliseconds{100});
    }
    request.headers = tenant.hook_headers(body);
    return ApiClient{server.url(), ""}.send(request);
}

/// Every row of a tenant, by table; without what the server writes about itself while nobody asks for anything.
std::map<std::string, std::string> rows_of(pqxx::connection& connection, const std::string& tenant) {
    std::map<std::string, std::string> rows;
    pqxx::work transaction{connection};
    const auto id = transaction.exec_params1("SELECT id FROM tenant WHERE name = $1", tenant)[0].as<int>();
    for (const auto& table : transaction.exec(R"(
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition)")) {
        const auto text = fmt::format(R"(
            SELECT coalesce(string_agg(line, E'\n' ORDER BY line), '')
            FROM (SELECT (to_jsonb(t) - ARRAY['last_used', 'lease_until', 'poll_due'])::text AS line FROM {} t WHERE tenant = $1) lines)",
                                      transaction.quote_name(table[0].c_str()));
        rows[table[0].c_str()] = transaction.exec_params1(text, id)[0].c_str();
    }
    return rows;
}

void check_nothing_of(const TenantWorld& owner, const Probe& probe, const ApiReply& reply) {
    const auto sent = sent_text(probe);
    for (const auto& mark : owner.marks()) {
        const bool is_repeated = sent.find(mark) != std::string::npos;  // what was asked for may be said again
        CHECK_MESSAGE((is_repeated || reply.body.find(mark) == std::string::npos), mark);
    }
}

void check_stranger(const TenantWorld& owner, const Probe& probe, const ApiReply& reply) {
    CHECK(reply.status == (probe.expects == Probe::Stranger::empty ? 200 : probe.stranger));
    if (probe.expects == Probe::Stranger::empty) CHECK(json::parse(reply.body)["items"].empty());
    if (!probe.remembered.empty()) CHECK(reply.body != probe.remembered);
    check_nothing_of(owner, probe, reply);
}

void check_owner(const Probe& probe, const ApiReply& reply) {
    CHECK(reply.status == probe.owner);
    if (probe.expects == Probe::Stranger::empty) CHECK_FALSE(json::parse(reply.body)["items"].empty());
    if (!probe.remembered.empty()) CHECK(reply.body == probe.remembered);
}

struct TwoTenants {
    TwoTenants() { server.start(); }

    HttpSite desk{[](const SiteRequest&) { return SiteAnswer{}; }};
    ServerProcess server{{"--connector-networks", "127.0.0.0/8"}};
};

}  // namespace

TEST_CASE("with the ids of another tenant a key reads nothing and changes nothing, at every route that there is") {
    TwoTenants both;
    TenantWorld owner{both.server, both.desk, "acme-7q", incidents_of_owner};
    TenantWorld stranger{both.server, both.desk, "zeta-4k", 1};
    const auto probes = isolation_probes(owner, stranger, incidents_of_owner);

    std::set<std::string> probed, routed;
    for (const auto& probe : probes) probed.insert(operation(probe));
    for (const auto& route : catenary::api::routes()) routed.insert(operation(route.method, route.path));
    CHECK(probed == routed);  // a new route needs a row in isolation_probes.cpp

    pqxx::connection superuser{both.server.superuser_url()};
    const auto before = rows_of(superuser, owner.name());
    CHECK_FALSE(before.at("ticket").empty());
    const auto told = both.desk.requests().size();
    for (const auto& probe : probes) {
        const auto reply = send(both.server, stranger, probe);
        const auto asked = method_name(probe.method) + " " + sent_text(probe), answered = reply.body.substr(0, 2000);
        CAPTURE(asked);
        CAPTURE(answered);
        check_stranger(owner, probe, reply);
    }
    for (const auto& [table, rows] : rows_of(superuser, owner.name())) {
        CAPTURE(table);
        CHECK(rows == before.at(table));
    }
    for (const auto& request : both.desk.requests()) {
        if (request.target == "/" + owner.name()) CHECK(request.body.find(stranger.name()) == std::string::npos);
    }
    CHECK(both.desk.requests().size() == told);  // not even a test of the owner's connector

    for (const auto& probe : probes) {  // the same requests mean something to the owner
        const auto reply = send(both.server, owner, probe);
        const auto asked = method_name(probe.method) + " " + sent_text(probe), answered = reply.body.substr(0, 2000);
        CAPTURE(asked);
        CAPTURE(answered);
        check_owner(probe, reply);
    }
    CHECK(both.server.stop() == 0);
}

TEST_CASE("a cursor of another tenant opens no page") {
    TwoTenants both;
    TenantWorld owner{both.server, both.desk, "acme-7q", incidents_of_owner};
    TenantWorld stranger{both.server, both.desk, "zeta-4k", incidents_of_owner};
    std::set<std::string> turned;
    for (const auto& route : catenary::api::routes()) {
        if (route.method != Method::get || route.path.find('{') != std::string_view::npos || !route.path.starts_with("/api/")) continue;
        const std::string path{route.path};
        const auto first = owner.send({.method = "GET", .path = path + "?limit=1", .body = {}, .content_type = {}, .headers = {}});
        if (first.status != 200) continue;
        const auto page = json::parse(first.body);
        if (!page.contains("next_cursor") || page["next_cursor"].is_null()) continue;
        const auto next = fmt::format("{}?limit=1&cursor={}", path, page["next_cursor"].get<std::string>());
        CAPTURE(next);
        CHECK(owner.get(next)["items"].size() <= 1);
        const auto reply = stranger.send({.method = "GET", .path = next, .body = {}, .content_type = {}, .headers = {}});
        CHECK(reply.status == 400);
        CHECK(reply.body.find(owner.secret()) == std::string::npos);
        turned.insert(path);
    }
    for (const auto* path : {"/api/v1/signals", "/api/v1/entities", "/api/v1/incidents", "/api/v1/findings", "/api/v1/patterns", "/api/v1/tickets",
                             "/api/v1/deliveries", "/api/v1/keys", "/api/v1/audit"}) {
        CHECK_MESSAGE(turned.contains(path), path);
    }
    CHECK(both.server.stop() == 0);
}
