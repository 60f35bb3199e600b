#include "server/pg/incident_store.hpp"
#include "tests/server/tickets/fake_redmine.hpp"
#include "tests/server/tickets/ticket_rig.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <thread>

// Redmine's ways, by a fake that has them; tests/e2e/redmine_flows_test.cpp has the real one.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

json redmine_at(const FakeRedmine& redmine, const char* closing = "apply") {
    return {{"kind", "redmine"},
            {"url", redmine.url() + "/"},
            {"secrets", {{"api_key", "key"}}},
            {"priorities", {{"high", 5}, {"low", 3}}},
            {"statuses", {{"new", 1}, {"active", 2}, {"closed", 5}}},
            {"resolutions", {{"5", "true_positive"}, {"6", "false_positive"}}},
            {"closing", closing},
            {"poll", "1s"},
            {"redmine", {{"project", "soc"}, {"tracker", 1}, {"incident_field", 1}}}};
}

engine::IncidentEdit edit_of(std::int64_t number) {
    engine::IncidentEdit edit;
    edit.number = engine::IncidentNumber{number};
    return edit;
}

std::string incident(TicketRig& rig, std::int64_t number, const std::string& column) {
    return rig.ask(fmt::format("SELECT coalesce({}::text, '') FROM incident WHERE number = {}", column, number));
}

/// Whatever waits for its back-off is due now.
void hurry(TicketRig& rig) { rig.run("UPDATE ticket SET due = now() WHERE state IN ('pending', 'in_doubt'); UPDATE connector_state SET open_until = now()"); }

}  // namespace

TEST_CASE("an issue is made with all that the connector says, and follows its incident") {
    FakeRedmine redmine;
    TicketRig rig;
    rig.put("soc", redmine_at(redmine));
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    REQUIRE(redmine.issues().size() == 1);
    const auto made = redmine.issues().at(1);
    CHECK(made.subject.starts_with("[high] "));
    CHECK(made.priority == 5);
    CHECK(made.marker.ends_with(fmt::format("-{}", number)));
    CHECK(made.description.find("Timeline (UTC)") != std::string::npos);
    CHECK(rig.ticket("soc", number, "external_url") == redmine.url() + "/issues/1");
    server::pg::IncidentStore incidents{rig.database().api()};
    const auto detail = incidents.detail(rig.caller(), engine::IncidentNumber{number}, 10);
    REQUIRE(detail.has_value());
    REQUIRE(detail->tickets.size() == 1);
    CHECK(detail->tickets[0].connector == "soc");
    CHECK(detail->tickets[0].external_url == redmine.url() + "/issues/1");

    auto edit = edit_of(number);
    edit.severity = engine::Severity::low;
    edit.status = engine::IncidentStatus::active;
    rig.edit(edit);
    REQUIRE(rig.wait([&] { return redmine.issues().at(1).status == 2; }));
    REQUIRE(rig.reaches("soc", number, "done"));
    const auto followed = redmine.issues().at(1);
    CHECK(followed.priority == 3);
    REQUIRE(followed.notes.size() == 1);
    CHECK(followed.notes[0].find("severity low") != std::string::npos);
    CHECK(redmine.issues().size() == 1);
}

TEST_CASE("a lost reply never makes a second issue nor a second note") {
    FakeRedmine redmine;
    TicketRig rig;
    redmine.lose_replies("POST", 1);
    rig.put("soc", redmine_at(redmine));
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "in_doubt"));
    hurry(rig);
    REQUIRE(rig.reaches("soc", number, "done"));
    CHECK(redmine.issues().size() == 1);
    CHECK(redmine.issues().at(1).notes.empty());

    redmine.lose_replies("PUT", 1);
    auto edit = edit_of(number);
    edit.severity = engine::Severity::low;
    rig.edit(edit);
    REQUIRE(rig.reaches("soc", number, "in_doubt"));
    hurry(rig);
    REQUIRE(rig.reaches("soc", number, "done"));
    CHECK(redmine.issues().at(1).notes.size() == 1);
    CHECK(redmine.issues().at(1).priority == 3);
}

TEST_CASE("what Redmine refuses fails with its own words, until the incident changes or somebody tries again") {
    FakeRedmine redmine;
    TicketRig rig;
    redmine.refuse("POST", 1, {422, R"({"errors":["Assignee is invalid","Category is invalid"]})", {}, {}});
    rig.put("soc", redmine_at(redmine));
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "failed"));
    CHECK(rig.ticket("soc", number, "detail") == "answered 422: Assignee is invalid; Category is invalid");
    const auto lines = rig.desk().deliveries(rig.caller(), {}, {});
    REQUIRE(lines.has_value());
    REQUIRE(rig.desk().retry_delivery(rig.caller(), lines->items[0].id).has_value());
    REQUIRE(rig.reaches("soc", number, "done"));
}

TEST_CASE("a status that Redmine drops without a word is found by reading back") {
    FakeRedmine redmine;
    TicketRig rig;
    auto body = redmine_at(redmine);
    body["statuses"] = {{"active", 99}};
    rig.put("soc", body);
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    auto edit = edit_of(number);
    edit.status = engine::IncidentStatus::active;
    rig.edit(edit);
    REQUIRE(rig.wait([&] { return rig.ticket("soc", number, "detail") == "Redmine did not take status 99 and has 1"; }));
    CHECK(rig.ask("SELECT count(*) FROM delivery WHERE failure LIKE '%did not take status 99%'") == "1");
}

TEST_CASE("a marker that cannot be looked for makes no issue at all") {
    FakeRedmine redmine;
    TicketRig rig;
    rig.put("soc", redmine_at(redmine));
    REQUIRE(rig.reaches("soc", rig.story("alice@corp.example"), "done"));
    CHECK(rig.desk().test_connector(rig.caller(), "soc")->detail == "signed in as correlator; project soc is there");
    redmine.ignore_filters(true);
    const auto second = rig.story("bob@corp.example", 5h);
    REQUIRE(rig.reaches("soc", second, "failed"));
    CHECK(rig.ticket("soc", second, "detail").find("incident_field") != std::string::npos);
    CHECK(redmine.issues().size() == 1);
    const auto tested = rig.desk().test_connector(rig.caller(), "soc");
    CHECK_FALSE(tested->ok);
}

TEST_CASE("who closes the issue closes the incident, with what its state means, and opening it opens it again") {
    FakeRedmine redmine;
    TicketRig rig;
    rig.put("soc", redmine_at(redmine));
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    redmine.set_status(1, 6);
    REQUIRE(rig.wait([&] { return incident(rig, number, "status") == "closed"; }));
    CHECK(incident(rig, number, "classification") == "false_positive");
    CHECK(incident(rig, number, "classification_reason") == "ticket 1 of soc was closed (state 6)");
    // Our own echo of it changes the issue's text, not its state, and is not taken for somebody's change.
    REQUIRE(rig.wait([&] { return redmine.issues().at(1).notes.size() == 1; }));
    REQUIRE(rig.reaches("soc", number, "done"));
    CHECK(redmine.issues().at(1).status == 6);

    redmine.set_status(1, 2);
    REQUIRE(rig.wait([&] { return incident(rig, number, "status") == "active"; }));
    CHECK(incident(rig, number, "classification").empty());
    REQUIRE(rig.wait([&] { return redmine.issues().at(1).notes.size() == 2; }));
    REQUIRE(rig.reaches("soc", number, "done"));
    CHECK(redmine.issues().at(1).status == 2);

    const auto revision = incident(rig, number, "revision");
    const auto notes = redmine.issues().at(1).notes.size();
    const auto polls = rig.ticketing().dispatcher().usage().polls;
    REQUIRE(rig.wait([&] { return rig.ticketing().dispatcher().usage().polls >= polls + 2; }));  // no loop: nothing moves any more
    CHECK(incident(rig, number, "revision") == revision);
    CHECK(redmine.issues().at(1).notes.size() == notes);
}

TEST_CASE("whose account we are is asked, and not taken from who made the issue") {
    FakeRedmine redmine;
    TicketRig rig;
    rig.put("soc", redmine_at(redmine));
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    redmine.set_author(1, 20);  // who changes states, below
    redmine.set_status(1, 6);
    REQUIRE(rig.wait([&] { return incident(rig, number, "status") == "closed"; }));
}

TEST_CASE("a poll that takes long begins the earlier, so that the next one ends within its interval") {
    FakeRedmine redmine;
    redmine.hold_replies(true);
    TicketRig rig;
    auto body = redmine_at(redmine);
    body["poll"] = "20s";
    rig.put("soc", body);
    REQUIRE(rig.wait([&] { return !redmine.requests().empty(); }));
    std::this_thread::sleep_for(2s);
    redmine.hold_replies(false);
    REQUIRE(rig.wait([&] { return rig.ask("SELECT poll_due > clock_timestamp() FROM connector_state WHERE name = 'soc'") == "t"; }));
    // This one and the next take two seconds each: 16 s at most are left of 20, and not less than half of them.
    CHECK(rig.ask("SELECT poll_due - clock_timestamp() < interval '16 seconds' FROM connector_state WHERE name = 'soc'") == "t");
    CHECK(rig.ask("SELECT poll_due - clock_timestamp() > interval '5 seconds' FROM connector_state WHERE name = 'soc'") == "t");
}

TEST_CASE("our own closing is not taken for somebody's, and a proposal leaves the incident alone") {
    FakeRedmine redmine;
    TicketRig rig;
    rig.put("soc", redmine_at(redmine, "propose"));
    const auto first = rig.story("alice@corp.example");
    const auto second = rig.story("bob@corp.example", 5h);
    REQUIRE(rig.reaches("soc", first, "done"));
    REQUIRE(rig.reaches("soc", second, "done"));
    auto edit = edit_of(first);
    edit.status = engine::IncidentStatus::closed;
    edit.classification = engine::Classification::benign_positive;
    rig.edit(edit);
    REQUIRE(rig.wait([&] { return redmine.issues().at(1).status == 5; }));
    redmine.set_status(2, 5);
    const auto said = [&] { return rig.ask("SELECT coalesce(string_agg(number || ': ' || detail, '|'), '') FROM incident_activity WHERE what = 'commented'"); };
    REQUIRE(rig.wait([&] { return !said().empty(); }));
    CHECK(said() == fmt::format("{}: Ticket 2 of soc was closed (state 5): it suggests to close this incident as true_positive.", second));
    CHECK(incident(rig, second, "status") == "new");
    CHECK(incident(rig, first, "classification") == "benign_positive");
}

TEST_CASE("an issue that was deleted is gone, and made anew only when asked for") {
    FakeRedmine redmine;
    TicketRig rig;
    rig.put("soc", redmine_at(redmine));
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    redmine.remove(1);
    auto edit = edit_of(number);
    edit.severity = engine::Severity::low;
    rig.edit(edit);
    REQUIRE(rig.reaches("soc", number, "gone"));
    edit.severity = engine::Severity::high;
    rig.edit(edit);
    REQUIRE(rig.wait([&] { return rig.ask("SELECT count(*) FROM outbox") == "0"; }));
    CHECK(rig.ticket("soc", number, "state") == "gone");
    CHECK(redmine.issues().empty());
    REQUIRE(rig.desk().sync_ticket(rig.caller(), std::stoll(rig.ticket("soc", number, "id"))).has_value());
    REQUIRE(rig.reaches("soc", number, "done"));
    CHECK(rig.ticket("soc", number, "external_id") == "2");
}

TEST_CASE("the ticket of an incident that was merged says which one goes on") {
    FakeRedmine redmine;
    TicketRig rig;
    rig.put("soc", redmine_at(redmine));
    const auto first = rig.story("alice@corp.example");
    const auto second = rig.story("bob@corp.example", 5h);
    REQUIRE(rig.reaches("soc", first, "done"));
    REQUIRE(rig.reaches("soc", second, "done"));
    rig.merge(second, first);
    REQUIRE(rig.wait([&] { return !redmine.issues().at(2).notes.empty(); }));
    CHECK(redmine.issues().at(2).notes[0].find(fmt::format("merged into incident {}", first)) != std::string::npos);
    REQUIRE(rig.wait([&] { return !redmine.issues().at(1).notes.empty(); }));
    CHECK(redmine.issues().size() == 2);
}
