#include "server/tickets/signatures.hpp"
#include "tests/e2e/incident_story.hpp"
#include "tests/support/http_site.hpp"
#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

// Ticketing of a whole server: hooks over HTTP, and a ticket system that accepts and never answers.

using namespace catenary::tests;
using namespace std::chrono_literals;
using catenary::server::ApiClient;
using nlohmann::json;
using Steady = std::chrono::steady_clock;

namespace {

const std::string signing = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
const std::string hook_secret = "whsec_MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEw";

template <class Done>
bool within(std::chrono::seconds patience, Done done) {
    const auto deadline = Steady::now() + patience;
    while (!done()) {
        if (Steady::now() > deadline) return false;
        std::this_thread::sleep_for(50ms);
    }
    return true;
}

json put_webhook(ApiClient& client, const std::string& name, const std::string& url) {
    const auto body = json{{"kind", "webhook"}, {"url", url}, {"secrets", {{"signing", signing}, {"hook", hook_secret}}}, {"closing", "apply"}}.dump();
    const auto made = client.send({.method = "PUT", .path = "/api/v1/connectors/" + name, .body = body, .headers = {}});
    REQUIRE_MESSAGE(made.status == 201, made.body);
    return json::parse(made.body);
}

}  // namespace

TEST_CASE("a receiver that is signed in by nothing but its signature closes an incident, once") {
    HttpSite site{[](const SiteRequest&) { return SiteAnswer{}; }};
    ServerProcess server{{"--connector-networks", "127.0.0.0/8"}};
    server.start();
    ApiClient client{server.url(), server.tenant_key("hooks")};
    const auto path = put_webhook(client, "desk", site.url())["hook"].get<std::string>();
    REQUIRE(client.post("/api/v1/signals", incident_story(1), "application/x-ndjson").status == 200);
    REQUIRE(within(30s, [&] { return !site.requests().empty(); }));
    const auto ticket = json::parse(site.requests()[0].body)["data"]["ticket"].get<std::string>();

    ApiClient nobody{server.url(), ""};
    const auto body =
        json{{"type", "ticket.changed"}, {"timestamp", "2026-03-06T08:00:00Z"}, {"data", {{"ticket", ticket}, {"status", "solved"}, {"closed", true}}}}.dump();
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    const auto send = [&](const std::string& to, const std::string& text, const std::string& secret) {
        const auto signature = catenary::server::tickets::webhook_signature({secret}, "msg_1", now, body);
        return nobody.send({.method = "POST",
                            .path = to,
                            .body = text,
                            .headers = {"Webhook-Id: msg_1", fmt::format("Webhook-Timestamp: {}", now), "Webhook-Signature: " + signature}});
    };
    const auto stranger = send("/api/v1/hooks/5c0ffee0-0000-4000-8000-000000000001", body, hook_secret);
    CHECK(stranger.status == 404);
    const auto forged = send(path, body, signing);
    CHECK(forged.status == 404);
    CHECK(json::parse(forged.body)["detail"] == json::parse(stranger.body)["detail"]);
    CHECK(send(path, body + " ", hook_secret).status == 404);
    CHECK(nobody.send({.method = "POST", .path = path, .body = std::string(2U << 20U, 'x'), .headers = {}}).status == 413);
    CHECK(nobody.get(path).status == 405);
    const auto taken = send(path, body, hook_secret);
    CHECK(taken.status == 202);
    CHECK(json::parse(taken.body)["known"] == false);
    CHECK(json::parse(send(path, body, hook_secret).body)["known"] == true);
    REQUIRE(within(20s, [&] { return json::parse(client.get("/api/v1/incidents/1").body)["status"] == "closed"; }));
    CHECK(within(20s, [&] { return json::parse(client.get("/api/v1/tickets").body)["items"][0]["external_status"] == "solved"; }));
    CHECK(server.stop() == 0);
}

TEST_CASE("a ticket system that accepts and never answers delays no acknowledgement, no incident and no other ticket") {
    std::atomic<bool> ends{false};
    HttpSite silent{[&](const SiteRequest&) {
        while (!ends) std::this_thread::sleep_for(20ms);
        return SiteAnswer{};
    }};
    HttpSite healthy{[](const SiteRequest&) { return SiteAnswer{}; }};
    ServerProcess server{{"--connector-networks", "127.0.0.0/8"}};
    server.start();
    ApiClient client{server.url(), server.tenant_key("slow")};
    put_webhook(client, "dead", "http://127.0.0.1:1/");
    put_webhook(client, "silent", silent.url());
    put_webhook(client, "healthy", healthy.url());
    REQUIRE(client.post("/api/v1/signals", incident_story(0), "application/x-ndjson").status == 200);
    REQUIRE(within(30s, [&] { return !silent.requests().empty(); }));  // from here on it keeps its connector's thread
    auto slowest_ack = 0ns;
    auto slowest_ticket = 0ns;
    for (int i = 1; i <= 10; ++i) {
        const auto begin = Steady::now();
        REQUIRE(client.post("/api/v1/signals", incident_story(i), "application/x-ndjson").status == 200);
        slowest_ack = std::max(slowest_ack, Steady::now() - begin);
        const auto arrived = [&] {
            const auto requests = healthy.requests();
            return std::ranges::any_of(
                requests, [&](const SiteRequest& request) { return request.body.find(fmt::format("\"user{}@ne.example\"", i)) != std::string::npos; });
        };
        REQUIRE(within(20s, arrived));
        slowest_ticket = std::max(slowest_ticket, Steady::now() - begin);
    }
    CHECK(silent.requests().size() == 1);  // and still does
    CHECK(slowest_ack < 2s);
    CHECK(slowest_ticket < 5s);
    MESSAGE(fmt::format("slowest of 10: acknowledged after {:.0f} ms, its ticket after {:.0f} ms",
                        std::chrono::duration<double, std::milli>(slowest_ack).count(), std::chrono::duration<double, std::milli>(slowest_ticket).count()));
    ends = true;
    CHECK(server.stop() == 0);
}
