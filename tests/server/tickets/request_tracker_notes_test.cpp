#include "tests/server/tickets/fake_request_tracker.hpp"
#include "tests/server/tickets/talk_desk.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

// What goes between incidents and tickets of Request Tracker besides their state: links, notes on merges, comments both ways.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const json replying{{"request_tracker", {{"notes", "correspond"}}}};

}  // namespace

TEST_CASE("tickets of Request Tracker whose incidents were merged or split are linked and say so, once, whatever is lost or asked for again") {
    FakeRequestTracker tracker;
    SUBCASE("merged") { check_merge(tracker); }
    SUBCASE("split") { check_split(tracker); }
    SUBCASE("merged before it had a ticket") { check_merged_before_ticket(tracker); }
}

TEST_CASE("a link that Request Tracker does not take leaves the ticket delivered, with its words") {
    FakeRequestTracker tracker;
    TalkDesk desk{tracker};
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    tracker.forbid_ties(true);
    desk.rig.merge(second, first);
    desk.settle();
    CHECK(desk.detail(second) == fmt::format("Request Tracker did not take the link to #{}: answered 403: Permission Denied", desk.id_of(first)));
    CHECK(desk.rig.ask("SELECT paused FROM connector_state").empty());
    tracker.forbid_ties(false);
    desk.send_again(second);
    desk.settle();
    CHECK(desk.detail(second).empty());
    CHECK(tracker.linked(desk.id_of(second)) == std::set<int>{desk.id_of(first)});
}

TEST_CASE("comments and what people write on a ticket of Request Tracker go both ways, each once, and at last nothing moves") {
    FakeRequestTracker tracker;
    SUBCASE("as comments") { check_comments(tracker, json::object(), false); }
    SUBCASE("as replies") { check_comments(tracker, replying, false); }
}

TEST_CASE("what somebody wrote as HTML on a ticket of Request Tracker becomes its words") {
    FakeRequestTracker tracker;
    TalkDesk desk{tracker};
    const auto number = desk.story("alice@corp.example");
    tracker.reply(1, "root", "<p>And <b>him</b>?</p>", "text/html");
    REQUIRE(desk.rig.wait([&] { return !desk.rig.comments(number).empty(); }));
    CHECK(desk.rig.comments(number) == "soc:root said And him?");
}

TEST_CASE("a note is looked for in the whole history of a ticket before it is written again") {
    FakeRequestTracker tracker;
    TalkDesk desk{tracker};
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    desk.rig.merge(second, first);
    desk.settle();
    for (int i = 0; i < 230; ++i) tracker.say(desk.id_of(first), "correlator", "on and on");
    desk.send_again(first);
    desk.settle();
    CHECK(desk.notes_with(first, took_in(second)) == 1);
}

TEST_CASE("a reply of ours does not keep a ticket open that is to be closed, and somebody's reply opens ticket and incident again") {
    FakeRequestTracker tracker;
    TalkDesk desk{tracker, replying};
    const auto number = desk.story("alice@corp.example");
    desk.close(number);
    desk.settle();
    CHECK(tracker.tickets().at(1).status == "resolved");
    CHECK(tracker.tickets().at(1).notes.size() == 1);
    CHECK(desk.rig.ask("SELECT status FROM incident") == "closed");
    CHECK(desk.detail(number).empty());
    desk.rig.comment(number, "for the record");
    desk.settle();
    CHECK(tracker.tickets().at(1).notes.size() == 2);
    CHECK(tracker.tickets().at(1).status == "resolved");
    CHECK(desk.rig.ask("SELECT status FROM incident") == "closed");
    tracker.say(1, "mika", "It goes on!");
    REQUIRE(desk.rig.wait([&] { return desk.rig.ask("SELECT status FROM incident") == "active"; }));
    CHECK(tracker.tickets().at(1).status == "open");
}

TEST_CASE("a ticket that our reply opened is closed again by whoever comes next, where we ended before we had done it") {
    FakeRequestTracker tracker;
    TalkDesk desk{tracker, replying};
    const auto number = desk.story("alice@corp.example");
    desk.close(number);
    desk.settle();
    REQUIRE(tracker.tickets().at(1).status == "resolved");
    // The reply arrives, and nothing after it.
    tracker.plan("change", std::vector<Fate>(1'000, refused(503)));
    desk.rig.comment(number, "for the record");
    REQUIRE(desk.rig.wait([&] { return tracker.tickets().at(1).status == "open" && desk.rig.ticket("soc", number, "state") == "in_doubt"; }));
    desk.rig.restart_ticketing();
    SUBCASE("nobody has done anything since") {
        tracker.plan("change", {});
        desk.settle();
        CHECK(tracker.tickets().at(1).status == "resolved");
        CHECK(desk.rig.ask("SELECT status FROM incident") == "closed");
    }
    SUBCASE("somebody has replied since") {
        tracker.say(1, "mika", "It goes on!");
        tracker.plan("change", {});
        desk.settle();
        CHECK(tracker.tickets().at(1).status == "open");
    }
    SUBCASE("somebody has set the state since") {
        tracker.set_status(1, "stalled");
        tracker.plan("change", {});
        desk.settle();
        CHECK(tracker.tickets().at(1).status == "stalled");
    }
    CHECK(desk.notes_with(number, "for the record") == 1);
}

TEST_CASE("our account is who Request Tracker says that we are, not who made a ticket with our mark") {
    FakeRequestTracker tracker;
    TalkDesk desk{tracker};
    const auto number = desk.story("alice@corp.example");
    desk.rig.comment(number, "from the incident");
    SUBCASE("known by another ticket") { desk.story("bob@corp.example", 5h); }
    SUBCASE("known by what it wrote on the ticket") {}
    desk.settle();
    tracker.give(1, "mika");
    desk.rig.restart_ticketing();
    tracker.say(1, "mika", "I made a copy");
    tracker.say(1, "correlator", "by another program under our account");
    tracker.say(1, "root", "seen");
    REQUIRE(desk.rig.wait([&] { return desk.rig.comments(number).find("seen") != std::string::npos; }));
    CHECK(desk.rig.comments(number) == fmt::format("{} said from the incident|soc:mika said I made a copy|soc:root said seen", desk.rig.caller().key_id));
}
