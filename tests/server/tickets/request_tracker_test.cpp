#include "tests/server/tickets/fake_request_tracker.hpp"
#include "tests/server/tickets/misbehaviour.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

// Request Tracker's ways, by a fake that has them; tests/e2e has the real one.

using namespace catenary;
using namespace catenary::tests;
using nlohmann::json;

namespace {

FakeRequestTracker& as_tracker(FakeSystem& fake) { return dynamic_cast<FakeRequestTracker&>(fake); }

}  // namespace

TEST_CASE("whatever Request Tracker does, an incident has one ticket and a change one note") {
    FakeRequestTracker tracker;
    auto rows = usual_misbehaviours();
    const auto dropped = Fate{Fate::Kind::dropped, {}};
    rows.push_back({.name = "the reply to a note is lost", .while_changed = [](FakeSystem& fake) { fake.plan("note", {lost}); }});
    rows.push_back({.name = "it fails after the note", .while_changed = [](FakeSystem& fake) { fake.plan("note", {failed(500)}); }});
    rows.push_back({.name = "somebody changes the ticket at the same time", .while_changed = [](FakeSystem& fake) { as_tracker(fake).meddle(2); }});
    rows.push_back({.name = "and goes on to", .while_changed = [](FakeSystem& fake) { as_tracker(fake).meddle(6); }});
    rows.push_back({.name = "a change is answered 200 and not made",
                    .while_changed = [dropped](FakeSystem& fake) { fake.plan("change", {dropped}); },
                    .detail = "did not take status open and has new"});
    check_misbehaviours(tracker, rows);
}

TEST_CASE("tickets of Request Tracker and their incidents close and open each other") {
    FakeRequestTracker tracker;
    check_both_ways(tracker);
}

TEST_CASE("a ticket that was deleted in Request Tracker is gone, and made anew only when asked for") {
    FakeRequestTracker tracker;
    check_gone(tracker);
}

TEST_CASE("a hook of Request Tracker is followed at once") {
    FakeRequestTracker tracker;
    check_hooks(tracker);
}

TEST_CASE("no ticket is made in a queue without the field that our marks go into, and a test says so") {
    FakeRequestTracker tracker;
    tracker.lose_field();
    TicketRig rig;
    rig.put("soc", tracker.connector());
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "failed"));
    CHECK(rig.ticket("soc", number, "detail").find("custom field \"External incident id\"") != std::string::npos);
    CHECK(tracker.tickets().empty());
    CHECK_FALSE(rig.desk().test_connector(rig.caller(), "soc")->ok);
}

TEST_CASE("a state that there is not is refused with Request Tracker's own words, or told when it is ignored") {
    FakeRequestTracker tracker;
    TicketRig rig;
    auto body = tracker.connector();
    body["statuses"] = {{"active", "ongoing"}};
    rig.put("soc", body);
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    engine::IncidentEdit edit;
    edit.number = engine::IncidentNumber{number};
    edit.status = engine::IncidentStatus::active;
    rig.edit(edit);
    REQUIRE(rig.wait([&] { return !rig.ticket("soc", number, "detail").empty(); }));
    CHECK(rig.ticket("soc", number, "detail") == "Request Tracker did not take status ongoing and has new");
    CHECK(rig.ticket("soc", number, "state") == "done");
    body["statuses"] = {{"new", "fresh"}};
    rig.put("soc", body);
    const auto other = rig.story("bob@corp.example", std::chrono::hours{5});
    REQUIRE(rig.reaches("soc", other, "failed"));
    CHECK(rig.ticket("soc", other, "detail") == "answered 400: Status 'fresh' isn't a valid status for tickets in this queue.");
}

TEST_CASE("a ticket of Request Tracker tells the incident in plain text, and a test names the version") {
    FakeRequestTracker tracker;
    TicketRig rig;
    rig.put("soc", tracker.connector());
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    const auto ticket = tracker.tickets().at(1);
    CHECK(ticket.priority == "80");
    CHECK(ticket.title.size() <= 200);
    CHECK(ticket.body.find("Timeline (UTC)") != std::string::npos);
    CHECK(rig.ticket("soc", number, "external_url") == tracker.url() + "/Ticket/Display.html?id=1");
    const auto tested = rig.desk().test_connector(rig.caller(), "soc");
    CHECK(tested->detail == "Request Tracker 5.0.3; queue SOC is there");
    auto wrong = tracker.connector();
    wrong["secrets"] = {{"token", "none"}};
    rig.put("soc", wrong);
    CHECK(rig.desk().test_connector(rig.caller(), "soc")->detail == "answered 401: Unauthorized");
}

TEST_CASE("of two tickets with the mark of one incident the older is its ticket, and it is told") {
    FakeRequestTracker tracker;
    TicketRig rig;
    rig.put("soc", tracker.connector());
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    tracker.copy(1);
    rig.run("UPDATE ticket SET external_id = '', state = 'pending', delivered = 0, due = now()");
    REQUIRE(rig.reaches("soc", number, "done"));
    CHECK(rig.ticket("soc", number, "external_id") == "1");
    CHECK(rig.ticket("soc", number, "detail") == "2 tickets carry the mark of this incident; the oldest is its ticket");
    CHECK(tracker.tickets().size() == 2);
}

TEST_CASE("what our own account did last to a ticket's state is nobody's wish, although we never heard of it") {
    FakeRequestTracker tracker;
    TicketRig rig;
    rig.put("soc", tracker.connector());
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    // As after a close whose reply was lost and an incident that was opened again before it was sent once more.
    rig.run("UPDATE ticket SET external_status = 'open'");
    const auto polls = rig.ticketing().dispatcher().usage().polls;
    REQUIRE(rig.wait([&] { return rig.ticketing().dispatcher().usage().polls >= polls + 2; }));
    CHECK(rig.ticket("soc", number, "external_status") == "new");
    CHECK(rig.ticketing().dispatcher().usage().remote_changes == 0);
}
