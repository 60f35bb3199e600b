#include "tests/server/tickets/fake_redmine.hpp"
#include "tests/server/tickets/ticket_rig.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

// Comments on incidents and notes on tickets, where a connector wants them both ways.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using engine::IncidentNumber;
using nlohmann::json;

namespace {

struct Desk {
    explicit Desk(bool comments = true) {
        rig.put("redmine", {{"kind", "redmine"},
                            {"url", redmine.url()},
                            {"secrets", {{"api_key", "key"}}},
                            {"comments", comments},
                            {"poll", "1s"},
                            {"redmine", {{"project", "soc"}, {"tracker", 1}, {"incident_field", 1}}}});
    }
    std::int64_t story(const std::string& account, std::chrono::microseconds after = {}) {
        const auto number = rig.story(account, after);
        REQUIRE(rig.reaches("redmine", number, "done"));
        return number;
    }
    std::vector<std::string> notes(int id) const { return redmine.issues().at(id).notes; }
    /// Until the ticket shows the incident as it is, and two polls found nothing new.
    void settle() {
        const auto quiet = [&] { return rig.ask("SELECT count(*) FROM outbox") == "0" && rig.ask("SELECT count(*) FROM ticket WHERE state <> 'done'") == "0"; };
        REQUIRE(rig.wait(quiet));
        const auto polls = rig.ticketing().dispatcher().usage().polls;
        REQUIRE(rig.wait([&] { return rig.ticketing().dispatcher().usage().polls >= polls + 2; }));
        REQUIRE(rig.settle());
        REQUIRE(rig.wait(quiet));
    }

    FakeRedmine redmine;
    TicketRig rig;
};

}  // namespace

TEST_CASE("a comment on the incident becomes one note on its ticket, with its author, whatever is lost or asked for again") {
    Desk desk;
    const auto number = desk.story("alice@corp.example");
    desk.redmine.lose_replies("PUT", 1);
    desk.rig.comment(number, "seen on {{other}} hosts\nat http://evil.example/");
    REQUIRE(desk.rig.reaches("redmine", number, "in_doubt"));
    desk.rig.run("UPDATE ticket SET due = now()");
    desk.settle();
    desk.rig.comment(number, "and gone");
    desk.settle();
    REQUIRE(desk.rig.desk().sync_ticket(desk.rig.caller(), std::stoll(desk.rig.ticket("redmine", number, "id"))).has_value());
    desk.settle();
    const auto notes = desk.notes(1);
    REQUIRE(notes.size() == 2);  // nothing else has changed: there is no note of a change
    CHECK(notes[0].starts_with(fmt::format("{} commented on incident {}:\n\n", desk.rig.caller().key_id, number)));
    CHECK(notes[0].find("\n\nseen on { { other}} hosts\nat http[://]evil.example/\n\nCatenary catenary-") != std::string::npos);
    CHECK(notes[1].find("and gone") != std::string::npos);
    CHECK(desk.rig.ask("SELECT count(*) FROM delivery WHERE action = 'note' AND status = 204") == "1");
}

TEST_CASE("what people write on the ticket becomes a comment once, however often it is polled and whoever serves the connector") {
    Desk desk;
    const auto number = desk.story("alice@corp.example");
    desk.redmine.say(1, "alice", "I called her:\r\nnot her.");
    desk.redmine.say(1, "bob", "among ourselves", true);
    desk.redmine.say(1, "correlator", "by another program under our account");
    desk.redmine.say(1, "mallory", "looks like ours\n\nCatenary " + desk.redmine.issues().at(1).marker + " note comment-1");
    desk.redmine.say(1, "bob", "Agreed.");
    REQUIRE(desk.rig.wait([&] { return desk.rig.comments(number).find("Agreed") != std::string::npos; }));
    const std::string said = "redmine:alice said I called her:\r\nnot her.|redmine:bob said Agreed.";
    CHECK(desk.rig.comments(number) == said);
    desk.settle();
    desk.rig.run("UPDATE connector_state SET polled = ''");  // everything is told anew
    desk.settle();
    desk.rig.restart_ticketing();
    desk.rig.run("UPDATE connector_state SET polled = ''");
    desk.settle();
    CHECK(desk.rig.comments(number) == said);
    CHECK(desk.rig.ask("SELECT count(*) FROM audit WHERE action = 'comment' AND actor = 'connector redmine'") == "2");
}

TEST_CASE("comments make no loop: what came from one side is not sent back to it, and at last nothing moves") {
    Desk desk;
    const auto number = desk.story("alice@corp.example");
    desk.redmine.say(1, "alice", "from the ticket");
    REQUIRE(desk.rig.wait([&] { return !desk.rig.comments(number).empty(); }));
    desk.rig.comment(number, "from the incident");
    desk.settle();
    const auto notes = desk.notes(1);
    CHECK(notes.size() == 1);
    const auto revision = desk.rig.ask("SELECT revision FROM incident");
    CHECK(revision == "3");
    desk.settle();
    desk.settle();
    CHECK(desk.notes(1) == notes);
    CHECK(desk.rig.ask("SELECT revision FROM incident") == revision);
    CHECK(desk.rig.comments(number) == fmt::format("redmine:alice said from the ticket|{} said from the incident", desk.rig.caller().key_id));
}

TEST_CASE("a note that is too long is cut and counted, and one that cannot be read holds up no other ticket") {
    Desk desk;
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    desk.redmine.say(1, "alice", std::string(8'190, 'x') + "\u00e9\u00e9\u00e9");
    REQUIRE(desk.rig.wait([&] { return !desk.rig.comments(first).empty(); }));
    const auto text = desk.rig.ask("SELECT detail FROM incident_activity WHERE what = 'commented'");
    CHECK(text.size() <= 8'192);
    CHECK(text.ends_with("x\n\u2026 (cut; the ticket has the rest)"));
    CHECK(desk.rig.ticketing().dispatcher().usage().notes_cut == 1);
    desk.redmine.say(1, "alice", std::string(1'100'000, 'y'));  // more than a reply may have
    desk.redmine.say(2, "bob", "here");
    REQUIRE(desk.rig.wait([&] { return !desk.rig.comments(second).empty(); }));
    CHECK(desk.rig.comments(second) == "redmine:bob said here");
    CHECK(desk.rig.ticketing().dispatcher().usage().notes_left >= 1);
}

TEST_CASE("a note that was taken is taken no second time, by whoever still thinks that it was not") {
    Desk desk;
    const auto number = desk.story("alice@corp.example");
    server::pg::TicketQueue queue{desk.rig.database().api(), desk.rig.caller().tenant, "redmine", desk.rig.ask("SELECT owner FROM connector_state")};
    const auto epoch = std::stoll(desk.rig.ask("SELECT epoch FROM connector_state"));
    const auto ticket = **queue.find("1");
    const engine::IncidentComment comment{IncidentNumber{number}, "once", "redmine:alice"};
    CHECK(queue.take_note(epoch - 1, ticket, "4", comment).error().code == server::pg::StoreErrorCode::stale);
    REQUIRE(queue.take_note(epoch, ticket, "4", comment).has_value());
    CHECK(queue.take_note(epoch, ticket, "4", comment).error().code == server::pg::StoreErrorCode::stale);
    REQUIRE(desk.rig.settle());
    CHECK(desk.rig.comments(number) == "redmine:alice said once");
}

TEST_CASE("many comments at once all become notes, in order") {
    Desk desk;
    const auto number = desk.story("alice@corp.example");
    desk.rig.ticketing().dispatcher().stop();
    constexpr int many = 60;
    for (int i = 0; i < many; ++i) desk.rig.comment(number, fmt::format("comment {} of many", i));
    desk.rig.restart_ticketing();
    REQUIRE(desk.rig.wait([&] { return desk.notes(1).size() == many; }));
    desk.settle();
    const auto notes = desk.notes(1);
    REQUIRE(notes.size() == many);
    for (int i = 0; i < many; ++i) CHECK(notes[static_cast<std::size_t>(i)].find(fmt::format("comment {} of many", i)) != std::string::npos);
}

TEST_CASE("a note on the ticket of an incident that was merged is a comment on the one that goes on") {
    Desk desk;
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    desk.rig.merge(second, first);
    desk.settle();
    desk.redmine.say(2, "bob", "still here");
    REQUIRE(desk.rig.wait([&] { return !desk.rig.comments(first).empty(); }));
    CHECK(desk.rig.comments(first) == "redmine:bob said still here");
    CHECK(desk.rig.comments(second).empty());
}

TEST_CASE("without being asked for, comments stay where they are") {
    Desk desk{false};
    const auto number = desk.story("alice@corp.example");
    desk.rig.comment(number, "for us");
    desk.redmine.say(1, "alice", "for them");
    desk.settle();
    CHECK(desk.notes(1).empty());
    CHECK(desk.rig.comments(number) == fmt::format("{} said for us", desk.rig.caller().key_id));
}
