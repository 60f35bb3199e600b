#include "server/tickets/webhook.hpp"

#include "tests/server/tickets/ticket_rig.hpp"
#include "tests/support/http_site.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <set>
#include <string>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const std::string first_secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
const std::string second_secret = "whsec_MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEw";

json hook_at(const HttpSite& site, const json& secrets = first_secret) {
    return {{"kind", "webhook"}, {"url", site.url() + "/hook"}, {"secrets", {{"signing", secrets}}}, {"when", {"created", "crossed", "reopened"}}};
}

std::vector<std::string> types_of(const HttpSite& site) {
    std::vector<std::string> types;
    for (const auto& request : site.requests()) types.push_back(json::parse(request.body)["type"].get<std::string>());
    return types;
}

}  // namespace

TEST_CASE("a webhook's signature is that of the specification's own example") {
    CHECK(server::tickets::webhook_signature({"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                                             R"({"test": 2432232314})") == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_CASE("an incident's life is told to a webhook, each event once and signed") {
    HttpSite site{[](const SiteRequest&) { return SiteAnswer{204, "", {}, SiteAnswer::Cut::nowhere}; }};
    TicketRig rig;
    rig.put("hook", hook_at(site, {first_secret, second_secret}));
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("hook", number, "done"));
    engine::IncidentEdit close;
    close.number = engine::IncidentNumber{number};
    close.status = engine::IncidentStatus::closed;
    close.classification = engine::Classification::false_positive;
    rig.edit(close);
    REQUIRE(rig.wait([&] { return site.requests().size() == 2; }));
    REQUIRE(rig.reaches("hook", number, "done"));
    engine::IncidentEdit reopen;
    reopen.number = close.number;
    reopen.status = engine::IncidentStatus::active;
    rig.edit(reopen);
    REQUIRE(rig.wait([&] { return site.requests().size() == 3; }));
    CHECK(types_of(site) == std::vector<std::string>{"incident.created", "incident.closed", "incident.reopened"});
    std::set<std::string> ids;
    for (const auto& request : site.requests()) {
        const auto& id = request.headers.at("webhook-id");
        CHECK(ids.insert(id).second);
        CHECK(request.headers.at("webhook-signature") ==
              server::tickets::webhook_signature({first_secret, second_secret}, id, std::stoll(request.headers.at("webhook-timestamp")), request.body));
    }
    const auto data = json::parse(site.requests()[0].body)["data"];
    CHECK(data["incident"]["number"] == number);
    CHECK(data["title"].get<std::string>().starts_with("[high] "));
    CHECK(rig.ask("SELECT count(*) FROM outbox") == "0");
}

TEST_CASE("a lost reply is repaired by the same event under the same id") {
    std::atomic<int> asked{0};
    HttpSite site{[&](const SiteRequest&) {
        return SiteAnswer{200, "", {}, ++asked == 1 ? SiteAnswer::Cut::before_reply : asked == 2 ? SiteAnswer::Cut::within_reply : SiteAnswer::Cut::nowhere};
    }};
    TicketRig rig;
    rig.put("hook", hook_at(site));
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.wait([&] { return rig.ticket("hook", number, "attempts") == "1" && rig.ticket("hook", number, "state") != "sending"; }));
    rig.run("UPDATE ticket SET due = now()");
    REQUIRE(rig.wait([&] { return site.requests().size() >= 2 && rig.ticket("hook", number, "state") != "sending"; }));
    rig.run("UPDATE ticket SET due = now() WHERE state <> 'done'");
    REQUIRE(rig.reaches("hook", number, "done"));
    std::set<std::string> ids, bodies;
    for (const auto& request : site.requests()) {
        ids.insert(request.headers.at("webhook-id"));
        bodies.insert(request.body);
    }
    CHECK(ids.size() == 1);
    CHECK(bodies.size() == 1);
    CHECK(rig.ask("SELECT count(*) FROM delivery WHERE failure <> ''") != "0");
}

TEST_CASE("Retry-After is waited for, the schedule ends, and 410 and 401 pause until a test succeeds") {
    std::atomic<int> status{503};
    HttpSite site{[&](const SiteRequest&) {
        return SiteAnswer{status, "no", status == 503 ? std::vector<std::string>{"Retry-After: 1800"} : std::vector<std::string>{}, SiteAnswer::Cut::nowhere};
    }};
    TicketRig rig;
    rig.put("hook", hook_at(site));
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("hook", number, "pending"));
    REQUIRE(rig.wait([&] { return rig.ticket("hook", number, "due > now() + interval '25 minutes'") == "true"; }));
    CHECK(rig.ticket("hook", number, "detail").find("503") != std::string::npos);

    status = 500;
    rig.run("UPDATE ticket SET attempts = 7, due = now()");
    REQUIRE(rig.reaches("hook", number, "failed"));
    CHECK(rig.ticket("hook", number, "detail").find("after 8 attempts") != std::string::npos);

    for (const int refusal : {410, 401}) {
        status = refusal;
        REQUIRE(rig.desk().sync_ticket(rig.caller(), std::stoll(rig.ticket("hook", number, "id"))).has_value());
        REQUIRE(rig.wait([&] { return rig.ask("SELECT paused FROM connector_state") != ""; }));
        CHECK(rig.ask("SELECT paused FROM connector_state").find(std::to_string(refusal)) != std::string::npos);
        const auto asked = site.requests().size();
        CHECK_FALSE(rig.desk().test_connector(rig.caller(), "hook")->ok);
        CHECK(rig.ask("SELECT paused FROM connector_state") != "");
        status = 200;
        REQUIRE(rig.desk().test_connector(rig.caller(), "hook")->ok);
        REQUIRE(rig.reaches("hook", number, "done"));
        CHECK(site.requests().size() == asked + 3);  // two tests and the ticket
    }
}

TEST_CASE("the schedule of attempts is the specification's") {
    const api::tickets::Connector connector;
    const server::tickets::AddressRules rules;
    server::tickets::Outbound outbound{rules, {}};
    server::tickets::Wire wire{outbound, {}};
    const server::tickets::Webhook hook{connector, wire};
    CHECK(hook.wait_after(1) == 5s);
    CHECK(hook.wait_after(2) == 5min);
    CHECK(hook.wait_after(7) == 10h);
    CHECK_FALSE(hook.wait_after(8).has_value());
}
