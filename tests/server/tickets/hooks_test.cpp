#include "server/tickets/hooks.hpp"

#include "tests/server/tickets/fake_redmine.hpp"
#include "tests/server/tickets/hook_message.hpp"
#include "tests/server/tickets/ticket_rig.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

// What ticket systems send by themselves: from the signed message to what it leads to.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using api::ports::FailureCode;
using api::tickets::HookMessage;
using nlohmann::json;

namespace {

const std::string secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
const std::string former = "whsec_MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEw";

HookMessage signed_by(const std::string& body, const std::string& id, std::int64_t at, const std::string& with = secret) {
    return standard_message(body, id, at, with);
}

std::string changed(const std::string& ticket, json report = json::object()) {
    report["ticket"] = ticket;
    return json{{"type", "ticket.changed"}, {"timestamp", "2026-03-06T08:00:00Z"}, {"data", std::move(report)}}.dump();
}

std::string changed_at(const std::string& time, const std::string& ticket, json report) {
    auto message = json::parse(changed(ticket, std::move(report)));
    message["timestamp"] = time;
    return message.dump();
}

/// A Redmine that is polled once a day, with a program beside it that sends hooks.
struct Desk {
    Desk() {
        rig.put("soc", {{"kind", "redmine"},
                        {"url", redmine.url()},
                        {"secrets", {{"api_key", "key"}, {"hook", {secret, former}}}},
                        {"resolutions", {{"6", "false_positive"}}},
                        {"closing", "apply"},
                        {"comments", true},
                        {"poll", "1d"},
                        {"redmine", {{"project", "soc"}, {"tracker", 1}, {"incident_field", 1}}}});
        hook = rig.ask("SELECT hook FROM connector");
        number = rig.story("alice@corp.example");
        REQUIRE(rig.reaches("soc", number, "done"));
        REQUIRE(rig.wait([&] { return rig.ticketing().dispatcher().usage().polls >= 1; }));
    }
    api::ports::Outcome<bool> send(const std::string& body, const std::string& id) { return rig.desk().take_hook(hook, signed_by(body, id, seconds_now())); }
    std::string incident(const std::string& column) {
        return rig.ask(fmt::format("SELECT coalesce({}::text, '') FROM incident WHERE number = {}", column, number));
    }
    std::int64_t followed() { return rig.ticketing().dispatcher().usage().hooks_followed; }

    FakeRedmine redmine;
    TicketRig rig;
    std::string hook;
    std::int64_t number = 0;
};

}  // namespace

TEST_CASE("a hook leads to a look at the ticket, and only what is found there counts") {
    Desk desk;
    desk.redmine.set_status(1, 6);
    desk.redmine.say(1, "alice", "not her");
    const auto taken = desk.send(changed("1"), "msg_1");
    REQUIRE(taken.has_value());
    CHECK(*taken);
    REQUIRE(desk.rig.wait([&] { return desk.incident("status") == "closed"; }));
    CHECK(desk.incident("classification") == "false_positive");
    REQUIRE(desk.rig.wait([&] { return desk.followed() == 1; }));
    REQUIRE(desk.rig.settle());
    CHECK(desk.rig.ask("SELECT string_agg(actor || ': ' || detail, '|') FROM incident_activity WHERE what = 'commented'") == "soc:alice: not her");
    CHECK(desk.rig.ticketing().dispatcher().usage().polls == 1);
    // It says nothing of the ticket itself, and of tickets that are nobody's nothing is asked.
    CHECK(desk.send(changed("1", {{"status", "2"}, {"closed", false}}), "msg_2").error().pointer == "/data/closed");
    const auto asked = desk.redmine.requests().size();
    REQUIRE(desk.send(changed("99"), "msg_3").has_value());
    REQUIRE(desk.rig.wait([&] { return desk.followed() == 2; }));
    CHECK(desk.incident("status") == "closed");
    for (auto i = asked; i < desk.redmine.requests().size(); ++i) CHECK(desk.redmine.requests()[i].target.find("/issues/99") == std::string::npos);
}

TEST_CASE("a delivery is taken once, also under a former secret, and messages of another type lead to nothing") {
    Desk desk;
    REQUIRE(*desk.send(changed("1"), "msg_1"));
    CHECK_FALSE(*desk.send(changed("1"), "msg_1"));
    CHECK_FALSE(*desk.rig.desk().take_hook(desk.hook, signed_by(changed("1"), "msg_1", seconds_now() - 60, former)));
    REQUIRE(*desk.send(R"({"type":"catenary.test","data":{}})", "msg_2"));
    REQUIRE(desk.rig.wait([&] { return desk.followed() == 1; }));
    CHECK(desk.rig.ask("SELECT count(*) FROM hook") == "2");
    CHECK(desk.rig.ask("SELECT count(*) FROM hook WHERE worked IS NULL") == "0");
    const auto usage = desk.rig.desk().hook_usage();
    CHECK(usage.taken == 2);
    CHECK(usage.known == 2);
}

TEST_CASE("what is not genuine is answered like what is sent to nobody, whatever it is") {
    Desk desk;
    const auto body = changed("1");
    const auto now = seconds_now();
    const auto genuine = signed_by(body, "msg_1", now);
    auto altered = genuine;
    altered.body += " ";
    auto unsigned_one = genuine;
    unsigned_one.headers.pop_back();
    const auto refused = [&](const std::string& id, const HookMessage& message) { return desk.rig.desk().take_hook(id, message).error(); };
    const auto nobody = refused("5c0ffee0-0000-4000-8000-000000000001", genuine);
    CHECK(nobody.code == FailureCode::not_found);
    for (const auto& message :
         {altered, unsigned_one, HookMessage{}, HookMessage{{}, body}, signed_by(body, "msg_1", now - 301), signed_by(body, "msg_1", now + 330),
          signed_by(body, "msg_1", now, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), signed_by(std::string(100'000, '['), "m", now, "whsec_AAAA")}) {
        const auto same = refused(desk.hook, message);
        CHECK(same.code == nobody.code);
        CHECK(same.detail == nobody.detail);
    }
    for (const auto& id : {std::string{}, std::string{"soc"}, "{" + desk.hook + "}", desk.hook + "0", std::string{"' OR true --"}, std::string(36, '-')}) {
        CAPTURE(id);
        CHECK(refused(id, genuine).detail == nobody.detail);
    }
    desk.rig.run("UPDATE connector SET enabled = false");
    CHECK(refused(desk.hook, genuine).detail == nobody.detail);
    desk.rig.run("UPDATE connector SET enabled = true");
    // Without a secret for it there is no hook.
    FakeRedmine other;
    desk.rig.put("other", {{"kind", "redmine"},
                           {"url", other.url()},
                           {"secrets", {{"api_key", "key"}}},
                           {"redmine", {{"project", "soc"}, {"tracker", 1}, {"incident_field", 1}}}});
    CHECK(refused(desk.rig.ask("SELECT hook FROM connector WHERE name = 'other'"), genuine).detail == nobody.detail);
    CHECK(desk.rig.desk().hook_usage().not_genuine == 17);
    CHECK(desk.rig.ask("SELECT count(*) FROM hook") == "0");
    CHECK(*desk.rig.desk().take_hook(desk.hook, genuine));
}

TEST_CASE("genuine messages that cannot be read say where") {
    Desk desk;
    int id = 0;
    for (const auto& [body, pointer] : std::vector<std::pair<std::string, std::string>>{
             {"", ""},
             {"[]", ""},
             {"{}", "/type"},
             {R"({"type":"ticket.changed"})", "/timestamp"},
             {R"({"type":"ticket.changed","timestamp":"today","data":{"ticket":"1"}})", "/timestamp"},
             {R"({"type":"ticket.changed","timestamp":"2026-03-06T08:00:00Z"})", "/data"},
             {R"({"type":"ticket.changed","timestamp":"2026-03-06T08:00:00Z","data":{"ticket":1}})", "/data/ticket"},
             {R"({"type":"ticket.changed","timestamp":"2026-03-06T08:00:00Z","data":{"ticket":"1"},"more":1})", "/more"}}) {
        CAPTURE(body);
        const auto said = desk.send(body, fmt::format("msg_{}", ++id));
        REQUIRE(said.has_error());
        CHECK(said.error().code == FailureCode::invalid);
        CHECK(said.error().pointer == pointer);
    }
    CHECK(desk.send(std::string(20'000, '[') + std::string(20'000, ']'), "deep").error().code == FailureCode::invalid);
    CHECK(desk.rig.ask("SELECT count(*) FROM hook") == "0");
}

TEST_CASE("a look that fails is taken again, a few times, and holds up nothing else") {
    Desk desk;
    desk.redmine.refuse("GET", 2, {500, "", {}, {}});
    desk.redmine.set_status(1, 6);
    REQUIRE(desk.send(changed("1"), "msg_1").has_value());
    REQUIRE(desk.rig.wait([&] { return desk.incident("status") == "closed"; }));
    CHECK(desk.rig.ticketing().dispatcher().usage().hooks_retried == 2);
    CHECK(desk.rig.ask("SELECT count(*) FROM delivery WHERE ticket IS NULL AND action = 'read' AND failure = 'answered 500'") == "2");
    REQUIRE(desk.rig.wait([&] { return desk.rig.ask("SELECT count(*) FROM outbox") == "0" && desk.rig.ticket("soc", desk.number, "state") == "done"; }));
    desk.redmine.refuse("GET", 5, {500, "", {}, {}});
    REQUIRE(desk.send(changed("1"), "msg_2").has_value());
    REQUIRE(desk.rig.wait([&] { return desk.rig.ticketing().dispatcher().usage().hooks_left == 1; }));
    CHECK(desk.rig.ask("SELECT attempts FROM hook WHERE id = 'msg_2' AND worked IS NOT NULL") == "5");
}

TEST_CASE("so many deliveries are kept, the oldest that were followed make room, and what only waits is not thrown away") {
    Desk desk;
    desk.rig.ticketing().dispatcher().stop();
    desk.rig.run(
        "INSERT INTO hook (tenant, connector, id, ticket, report, worked) SELECT tenant, name, 'old' || n, '1', '', now() FROM connector, generate_series(1, "
        "5000) n");
    REQUIRE(desk.send(changed("1"), "msg_1").has_value());
    CHECK(desk.rig.ask("SELECT count(*) FROM hook") == "4001");
    desk.rig.run("UPDATE hook SET worked = NULL");
    desk.rig.run("INSERT INTO hook (tenant, connector, id, ticket, report) SELECT tenant, name, 'new' || n, '1', '' FROM connector, generate_series(1, 999) n");
    const auto full = desk.send(changed("1"), "msg_2");
    REQUIRE(full.has_error());
    CHECK(full.error().code == FailureCode::unavailable);
    CHECK(desk.rig.ask("SELECT count(*) FROM hook") == "5000");
    CHECK(desk.rig.desk().hook_usage().refused == 1);
}

TEST_CASE("the receiver of a webhook reports how its ticket is, in any order, and is told no more than before") {
    HttpSite site{[](const SiteRequest&) { return SiteAnswer{}; }};
    TicketRig rig;
    rig.put("hook", {{"kind", "webhook"},
                     {"url", site.url()},
                     {"secrets", {{"signing", secret}, {"hook", former}}},
                     {"resolutions", {{"done: not malicious", "benign_positive"}}},
                     {"closing", "apply"}});
    const auto hook = rig.ask("SELECT hook FROM connector");
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("hook", number, "done"));
    const auto ticket = json::parse(site.requests()[0].body)["data"]["ticket"].get<std::string>();
    const auto report = [&](const std::string& id, const std::string& time, const std::string& status, bool closed) {
        const auto body = changed_at(time, ticket, {{"status", status}, {"closed", closed}, {"url", "https://desk.example/7"}});
        REQUIRE(rig.desk().take_hook(hook, signed_by(body, id, seconds_now(), former)).has_value());
    };
    const auto status = [&] { return rig.ask(fmt::format("SELECT status FROM incident WHERE number = {}", number)); };
    report("a", "2026-03-06T08:00:00Z", "in progress", false);
    REQUIRE(rig.wait([&] { return rig.ticket("hook", number, "external_status") == "in progress"; }));
    CHECK(rig.ticket("hook", number, "external_url") == "https://desk.example/7");
    CHECK(status() == "new");
    report("c", "2026-03-06T10:00:00Z", "done: not malicious", true);
    REQUIRE(rig.wait([&] { return status() == "closed"; }));
    CHECK(rig.ask("SELECT classification FROM incident") == "benign_positive");
    report("b", "2026-03-06T09:00:00Z", "waiting", false);  // came late
    REQUIRE(rig.wait([&] { return rig.ticketing().dispatcher().usage().hooks_followed == 3; }));
    REQUIRE(rig.reaches("hook", number, "done"));
    CHECK(status() == "closed");
    CHECK(rig.ticket("hook", number, "external_status") == "done: not malicious");
    // Its own closing comes back to it as a change of the incident, once.
    REQUIRE(rig.wait([&] { return site.requests().size() == 2; }));
    REQUIRE(rig.reaches("hook", number, "done"));
    CHECK(rig.ticket("hook", number, "external_status") == "done: not malicious");
    report("d", "2026-03-06T11:00:00Z", "reopened", false);
    REQUIRE(rig.wait([&] { return status() == "active"; }));
    // A report without what it must say, or with an address that nobody should be led to.
    for (const auto& [data, pointer] :
         std::vector<std::pair<json, std::string>>{{{{"status", "x"}}, "/data/closed"},
                                                   {{{"closed", true}}, "/data/status"},
                                                   {{{"status", "x"}, {"closed", true}, {"url", "javascript:alert(1)"}}, "/data/url"}}) {
        const auto said = rig.desk().take_hook(hook, signed_by(changed(ticket, data), "bad", seconds_now(), former));
        REQUIRE(said.has_error());
        CHECK(said.error().pointer == pointer);
    }
    // What it is signed with itself is not what it signs with.
    CHECK(rig.desk().take_hook(hook, signed_by(changed(ticket), "x", seconds_now(), secret)).error().code == FailureCode::not_found);
}

TEST_CASE("Jira's hooks name the issue, and are known by their delivery") {
    const std::string body = R"({"timestamp":1,"webhookEvent":"jira:issue_updated","issue":{"id":"10002","key":"SOC-7","fields":{"status":{"name":"Done"}}}})";
    const std::string key = "It's a Secret to Everybody";
    const auto message = jira_message(body, "d-1", key);
    const auto signature = std::string{message.header("x-hub-signature")};
    const auto named = server::tickets::jira_hook({"old", key}, message);
    REQUIRE(named.has_value());
    REQUIRE(named->has_value());
    CHECK((*named)->ticket == "10002");
    CHECK((*named)->delivery == "d-1");
    CHECK_FALSE((*named)->report.has_value());
    CHECK((*server::tickets::jira_hook({key}, {{{"x-hub-signature", signature}}, body}))->delivery == signature);
    CHECK_FALSE(server::tickets::jira_hook({"old"}, {{{"x-hub-signature", signature}}, body}).has_value());
    CHECK_FALSE(server::tickets::jira_hook({key}, {{{"x-hub-signature", signature}}, body + " "}).has_value());
    CHECK_FALSE(server::tickets::jira_hook({key}, {{}, body}).has_value());
}
