#include "tests/server/tickets/ticket_rig.hpp"
#include "tests/support/http_site.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <string>
#include <thread>

// From the lane's transaction through the outbox to a receiver, and what stands in the way.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

SiteAnswer fine(const SiteRequest&) { return {}; }

json hook_at(const std::string& url) { return {{"kind", "webhook"}, {"url", url}, {"secrets", {{"signing", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}}}}; }

json with(json body, const char* member, json value) {
    body[member] = std::move(value);
    return body;
}

engine::IncidentEdit edit_of(std::int64_t number) {
    engine::IncidentEdit edit;
    edit.number = engine::IncidentNumber{number};
    return edit;
}

}  // namespace

TEST_CASE("only incidents that meet the condition get a ticket, later ones when they come to meet it") {
    HttpSite site{fine};
    TicketRig rig;
    rig.put("labelled", with(hook_at(site.url()), "condition", {{"label", "vip"}}));
    rig.put("at-birth", with(with(hook_at(site.url()), "condition", {{"label", "vip"}}), "when", {"created"}));
    rig.put("all", hook_at(site.url()));
    rig.put("off", with(hook_at(site.url()), "enabled", false));
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("all", number, "done"));
    CHECK(rig.ticket("labelled", number, "state") == "none");
    auto edit = edit_of(number);
    edit.labels = std::vector<std::string>{"vip"};
    rig.edit(edit);
    REQUIRE(rig.reaches("labelled", number, "done"));
    CHECK(rig.ticket("labelled", number, "cause") == "crossed");
    CHECK(rig.ticket("at-birth", number, "state") == "none");
    CHECK(rig.ticket("off", number, "state") == "none");
    // What has a ticket is followed, whether or not it meets the condition any more.
    edit.labels = std::vector<std::string>{};
    rig.edit(edit);
    REQUIRE(rig.wait(
        [&] { return rig.ticket("labelled", number, "delivered") == rig.ask(fmt::format("SELECT revision FROM incident WHERE number = {}", number)); }));
}

TEST_CASE("what the lane computes again after a crash adds nothing to the outbox") {
    HttpSite site{fine};
    TicketRig rig;
    rig.put("hook", hook_at(site.url()));
    rig.ticketing().dispatcher().stop();
    const auto number = rig.story("alice@corp.example");
    const auto rows = rig.ask("SELECT string_agg(connector || incident || revision || cause, ' ') FROM outbox");
    CHECK(rows == fmt::format("hook{}1created", number));
    rig.run("UPDATE lane SET done = 0");  // as if nothing had been committed
    rig.lanes().restart_worker();
    REQUIRE(rig.settle());
    CHECK(rig.ask("SELECT string_agg(connector || incident || revision || cause, ' ') FROM outbox") == rows);
    rig.restart_ticketing();
    REQUIRE(rig.reaches("hook", number, "done"));
    rig.run("UPDATE lane SET done = 0");
    rig.lanes().restart_worker();
    REQUIRE(rig.settle());
    REQUIRE(rig.wait([&] { return rig.ask("SELECT count(*) FROM outbox") == "0"; }));
    CHECK(rig.reaches("hook", number, "done"));
    CHECK(site.requests().size() == 1);
}

TEST_CASE("a dead and a slow connector delay neither the lane nor the others") {
    std::atomic<bool> ends{false};
    HttpSite slow{[&](const SiteRequest&) {
        for (int i = 0; i < 1000 && !ends; ++i) std::this_thread::sleep_for(10ms);
        return SiteAnswer{};
    }};
    HttpSite site{fine};
    TicketRig rig;
    rig.put("dead", hook_at("http://127.0.0.1:1/"));
    rig.put("slow", hook_at(slow.url()));
    rig.put("good", hook_at(site.url()));
    const auto first = rig.story("alice@corp.example");
    REQUIRE(rig.wait([&] { return slow.requests().size() == 1; }));
    const auto second = rig.story("bob@corp.example", 1h);  // settles although two connectors do not answer
    REQUIRE(rig.reaches("good", first, "done"));
    REQUIRE(rig.reaches("good", second, "done"));
    CHECK(rig.ticket("slow", first, "state") == "sending");
    CHECK(rig.reaches("dead", second, "pending"));  // and "sending" while another attempt is made
    CHECK(rig.ask("SELECT failures > 0 FROM connector_state WHERE name = 'dead'") == "t");
    ends = true;
}

TEST_CASE("failures in a row open the breaker, and one success closes it") {
    std::atomic<int> status{500};
    HttpSite site{[&](const SiteRequest&) { return SiteAnswer{status, "", {}, SiteAnswer::Cut::nowhere}; }};
    TicketRig rig;
    rig.put("hook", hook_at(site.url()));
    for (int i = 0; i < 8; ++i) rig.story(fmt::format("user{}@corp.example", i), i * 5h);
    REQUIRE(rig.wait([&] { return rig.ask("SELECT open_until > now() FROM connector_state") == "t"; }));
    std::this_thread::sleep_for(500ms);  // long enough for many more attempts
    CHECK(site.requests().size() == 5);
    CHECK((*rig.desk().connector(rig.caller(), "hook")).resting_until.has_value());
    status = 200;
    rig.run("UPDATE connector_state SET open_until = now(); UPDATE ticket SET due = now()");
    REQUIRE(rig.wait([&] { return rig.ask("SELECT count(*) FROM ticket WHERE state = 'done'") == "8"; }));
    CHECK(rig.ask("SELECT failures FROM connector_state") == "0");
}

TEST_CASE("one process serves a connector, and another takes over when it ends") {
    HttpSite site{fine};
    TicketRig rig;
    rig.put("hook", hook_at(site.url()));
    const auto first = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("hook", first, "done"));
    const auto epoch = rig.ask("SELECT epoch FROM connector_state");
    const auto other = rig.process();
    other->dispatcher().start();
    const auto second = rig.story("bob@corp.example", 5h);
    REQUIRE(rig.reaches("hook", second, "done"));
    CHECK(rig.ask("SELECT epoch FROM connector_state") == epoch);
    CHECK(other->dispatcher().usage().delivered == 0);
    rig.ticketing().dispatcher().stop();
    const auto third = rig.story("carol@corp.example", 10h);
    REQUIRE(rig.reaches("hook", third, "done"));
    CHECK(rig.ask("SELECT epoch FROM connector_state") != epoch);
    CHECK(other->dispatcher().usage().delivered == 1);
    CHECK(site.requests().size() == 3);
}

TEST_CASE("what a process was sending when it ended is in doubt, and logged so") {
    HttpSite site{fine};
    TicketRig rig;
    rig.put("hook", hook_at(site.url()));
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("hook", number, "done"));
    rig.ticketing().dispatcher().stop();
    rig.run(
        "UPDATE ticket SET state = 'sending', delivered = 0, attempts = 3; UPDATE connector_state SET owner = 'gone', lease_until = now() - interval '1 "
        "second'");
    rig.restart_ticketing();
    REQUIRE(rig.reaches("hook", number, "in_doubt"));
    CHECK(rig.ask("SELECT action || attempt FROM delivery WHERE action = 'interrupted'") == "interrupted3");
    REQUIRE(rig.wait([&] { return rig.ticket("hook", number, "state") == "done"; }));
    REQUIRE(site.requests().size() == 2);
    CHECK(site.requests()[0].headers.at("webhook-id") == site.requests()[1].headers.at("webhook-id"));
}

TEST_CASE("the delivery log shows what was said, without secrets, and connectors are audited") {
    HttpSite site{[](const SiteRequest& request) {
        return SiteAnswer{200, request.headers.at("webhook-signature") + " whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", {}, {}};
    }};
    TicketRig rig;
    rig.put("hook", hook_at(site.url() + "/in"));
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("hook", number, "done"));
    const auto lines = rig.desk().deliveries(rig.caller(), {}, {});
    REQUIRE(lines.has_value());
    REQUIRE(lines->items.size() == 1);
    const auto& line = lines->items[0];
    CHECK(line.action == "create");
    CHECK(line.status == 200);
    CHECK(line.url == site.url() + "/in");
    CHECK(json::parse(line.request)["type"] == "incident.created");
    CHECK(line.reply.find("[secret]") != std::string::npos);
    CHECK(line.reply.find("MDEyMzQ1") == std::string::npos);
    CHECK(rig.ask("SELECT count(*) FROM audit WHERE action = 'connector_added' AND target = 'hook'") == "1");
    CHECK(rig.ask("SELECT count(*) FROM audit WHERE detail LIKE '%MDEyMzQ1%'") == "0");
    CHECK(rig.ask("SELECT encode(secrets, 'escape') LIKE '%MDEyMzQ1%' FROM connector") == "f");
}

TEST_CASE("tickets are opened by hand, listed by their incident, and go with their connector") {
    HttpSite site{fine};
    TicketRig rig;
    rig.put("hook", with(hook_at(site.url()), "condition", {{"label", "never"}}));
    const auto number = rig.story("alice@corp.example");
    const engine::IncidentNumber incident{number};
    CHECK(rig.desk().open_ticket(rig.caller(), engine::IncidentNumber{99}, "hook").error().code == api::ports::FailureCode::not_found);
    CHECK(rig.desk().open_ticket(rig.caller(), incident, "none").error().pointer == "/connector");
    REQUIRE(rig.desk().open_ticket(rig.caller(), incident, "hook").has_value());
    REQUIRE(rig.reaches("hook", number, "done"));
    const auto links = rig.desk().tickets_of(rig.caller(), {incident});
    REQUIRE(links.has_value());
    REQUIRE(links->at(number).size() == 1);
    api::tickets::TicketFilter filter;
    filter.states = {api::tickets::TicketState::done};
    filter.incident = incident;
    CHECK(rig.desk().tickets(rig.caller(), filter, {})->items.size() == 1);
    filter.connectors = {"other"};
    CHECK(rig.desk().tickets(rig.caller(), filter, {})->items.empty());
    const auto known = *rig.desk().connector(rig.caller(), "hook");
    CHECK(rig.desk().remove_connector(rig.caller(), "hook", known.revision + 1).error().code == api::ports::FailureCode::stale);
    REQUIRE(rig.desk().remove_connector(rig.caller(), "hook", known.revision).has_value());
    CHECK(rig.ask("SELECT count(*) FROM ticket") == "0");
    CHECK(rig.ask("SELECT count(*) FROM connector_state") == "0");
    CHECK(rig.ask("SELECT count(*) > 0 FROM delivery") == "t");
}
