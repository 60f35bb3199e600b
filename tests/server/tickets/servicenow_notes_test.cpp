#include "tests/server/tickets/fake_servicenow.hpp"
#include "tests/server/tickets/talk_desk.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

// What goes between incidents and records of ServiceNow besides their state: parents, notes on merges and splits, comments both ways.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using nlohmann::json;

TEST_CASE("records of ServiceNow whose incidents were merged or split name each other and say so, once, whatever is lost or asked for again") {
    FakeServiceNow servicenow;
    SUBCASE("merged") {
        check_merge(servicenow);
        CHECK(servicenow.parent_of(2) == 1);
        CHECK(servicenow.parent_of(1) == 0);
    }
    SUBCASE("split") {
        check_split(servicenow);
        CHECK(servicenow.parent_of(3) == 0);  // to resolve one is not to resolve the other
    }
    SUBCASE("merged before it had a ticket") { check_merged_before_ticket(servicenow); }
    SUBCASE("merged, for an account to which the journal is empty") {
        servicenow.hide_journal(FakeServiceNow::Journal::empty);
        check_merge(servicenow);
    }
    SUBCASE("merged, for an account that may not read the journal") {
        servicenow.hide_journal(FakeServiceNow::Journal::refused);
        check_merge(servicenow);
    }
    SUBCASE("split, for an account that may not read the journal") {
        servicenow.hide_journal(FakeServiceNow::Journal::refused);
        check_split(servicenow);
    }
}

TEST_CASE("where a parent is not taken a note names the other record, once, and the record is delivered") {
    FakeServiceNow servicenow;
    std::string words;
    bool is_refused = false;
    SUBCASE("the account may not") {
        is_refused = true;
        words =
            "ServiceNow did not take INC0000001 as the parent of INC0000002: answered 403: Operation Failed: ACL Exception Update Failed due to security "
            "constraints; a note names it";
    }
    SUBCASE("the field is dropped without a word") {
        servicenow.drop("parent_incident");
        words = "ServiceNow did not take INC0000001 as the parent of INC0000002; a note names it";
    }
    TalkDesk desk{servicenow};
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    servicenow.forbid_ties(is_refused);
    desk.rig.merge(second, first);
    desk.settle();
    desk.send_again(first);
    desk.send_again(second);
    desk.settle();
    CHECK(desk.detail(second) == words);
    CHECK(desk.rig.ask("SELECT paused FROM connector_state").empty());
    CHECK(desk.notes_with(second, "This ticket goes on in INC0000001.") == 1);
    CHECK(desk.notes_with(first, "What INC0000002 is about goes on in this ticket.") == 1);
    CHECK(desk.notes_with(first, took_in(second)) == 1);
}

TEST_CASE("a parent that people gave a record stays, and one of ours gives way to where it goes on") {
    FakeServiceNow servicenow;
    TalkDesk desk{servicenow};
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    const auto third = desk.story("carol@corp.example", 10h);
    SUBCASE("ours") {
        desk.rig.merge(third, second);
        desk.settle();
        CHECK(servicenow.parent_of(3) == 2);
        desk.rig.merge(second, first);
        desk.settle();
        CHECK(servicenow.parent_of(2) == 1);
        CHECK(servicenow.parent_of(3) == 1);
        CHECK(desk.notes_with(third, into(third, first)) == 1);
    }
    SUBCASE("theirs") {
        servicenow.add_foreign(9);
        servicenow.set_parent(2, 9);
        desk.rig.merge(second, first);
        desk.settle();
        CHECK(servicenow.parent_of(2) == 9);
        CHECK(desk.detail(second) == "INC0000002 has the parent INC0000009 already; a note names it");
        CHECK(servicenow.tied(1, 2));
        CHECK(servicenow.tied(2, 1));
    }
}

TEST_CASE("in another table than that of incidents a note names the other record") {
    FakeServiceNow servicenow;
    servicenow.use_table("sn_si_incident");
    TalkDesk desk{servicenow};
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    desk.rig.merge(second, first);
    desk.settle();
    CHECK(servicenow.parent_of(2) == 0);
    CHECK(servicenow.tied(1, 2));
    CHECK(servicenow.tied(2, 1));
    CHECK(desk.detail(second).empty());
}

TEST_CASE("comments on incidents and on records of ServiceNow go both ways, each once, and at last nothing moves") {
    FakeServiceNow servicenow;
    json changes = json::object();
    SUBCASE("as work notes") {}
    SUBCASE("as comments") { changes = {{"servicenow", {{"notes", "comments"}}}}; }
    check_comments(servicenow, changes, true);
}

TEST_CASE("notes of the same second are all taken, in whatever order their ids are, and one that shows late") {
    FakeServiceNow servicenow;
    TalkDesk desk{servicenow};
    const auto number = desk.story("alice@corp.example");
    servicenow.say(1, "mika", "first");
    REQUIRE(desk.rig.wait([&] { return !desk.rig.comments(number).empty(); }));
    for (int i = 0; i < 5; ++i) {
        servicenow.say_late(1, "mika", fmt::format("again {}", i), i + 1);  // in the second of the first one
        REQUIRE(desk.rig.wait([&] { return desk.rig.comments(number).find(fmt::format("again {}", i)) != std::string::npos; }));
    }
    desk.settle();
    CHECK(desk.rig.ask("SELECT count(*) FROM incident_activity WHERE what = 'commented'") == "6");
}

TEST_CASE("what somebody wrote as HTML in a journal of ServiceNow becomes its words") {
    FakeServiceNow servicenow;
    TalkDesk desk{servicenow};
    const auto number = desk.story("alice@corp.example");
    servicenow.say(1, "mika", "See [code]<p>this <b>one</b></p>[/code], and [code]<i>that");
    REQUIRE(desk.rig.wait([&] { return !desk.rig.comments(number).empty(); }));
    CHECK(desk.rig.comments(number) == "soc:mika said See this one, and that");
}

TEST_CASE("notes of ServiceNow that are longer than a reply together are read by fewer, and cut") {
    FakeServiceNow servicenow;
    check_long_notes(servicenow, 60, 30'000);
}

TEST_CASE("a note that ServiceNow does not take or show is told, and not written again and again") {
    FakeServiceNow servicenow;
    TalkDesk desk{servicenow};
    const auto number = desk.story("alice@corp.example");
    SUBCASE("dropped without a word") {
        servicenow.drop("work_notes");
        desk.rig.comment(number, "for them");
        desk.settle();
        CHECK(desk.detail(number) == "ServiceNow did not take a note: may this account write and read work_notes?");
        CHECK(std::ranges::count(servicenow.sorts(), "note") == 1);
    }
    SUBCASE("neither journal nor record show any") {
        servicenow.hide_journal(FakeServiceNow::Journal::empty);
        servicenow.hide_notes();
        desk.rig.comment(number, "for them");
        desk.settle();
        CHECK(desk.detail(number) == "whether the record has a note already cannot be seen, and it was not written: may this account read work_notes?");
        CHECK(std::ranges::count(servicenow.sorts(), "note") == 0);
    }
}

TEST_CASE("an account that may not read the journal gets no comments, and its other tickets go on; a test says so") {
    FakeServiceNow servicenow;
    TalkDesk desk{servicenow};
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    const auto tested = [&] { return *desk.rig.desk().test_connector(desk.rig.caller(), "soc"); };
    CHECK(tested().detail.find("it shows no entry of sys_journal_field") != std::string::npos);
    servicenow.hide_journal(FakeServiceNow::Journal::refused);
    CHECK_FALSE(tested().ok);
    CHECK(tested().detail == "comments need sys_journal_field, which cannot be read: answered 403: User Not Authorized: Failed API level ACL Validation");
    servicenow.say(desk.id_of(first), "mika", "nobody hears this");
    servicenow.set_status(desk.id_of(second), "8");
    REQUIRE(desk.rig.wait([&] { return desk.rig.ask(fmt::format("SELECT status FROM incident WHERE number = {}", second)) == "closed"; }));
    CHECK(desk.rig.ticketing().dispatcher().usage().notes_left >= 1);
    CHECK(desk.rig.ask("SELECT paused FROM connector_state").empty());
    CHECK(desk.rig.comments(first).empty());
}
