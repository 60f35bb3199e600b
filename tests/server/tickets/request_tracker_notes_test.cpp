#include "tests/server/tickets/fake_request_tracker.hpp"
#include "tests/server/tickets/ticket_rig.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

// What goes between incidents and tickets of Request Tracker besides their state: links, notes on merges, comments both ways.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using engine::IncidentNumber;

namespace {

struct Desk {
    explicit Desk(const char* notes = "comment") {
        auto body = tracker.connector();
        body["comments"] = true;
        body["request_tracker"]["notes"] = notes;
        rig.put("soc", body);
    }
    std::int64_t story(const std::string& account, std::chrono::microseconds after = {}) {
        const auto number = rig.story(account, after);
        REQUIRE(rig.reaches("soc", number, "done"));
        return number;
    }
    int id_of(std::int64_t number) { return std::stoi(rig.ticket("soc", number, "external_id")); }
    /// Notes with a line that begins so; a note of a change holds the text of the ticket too, where it is an item of a list.
    std::ptrdiff_t notes_with(std::int64_t number, const std::string& words) {
        const auto notes = tracker.tickets().at(id_of(number)).notes;
        return std::ranges::count_if(notes, [&](const std::string& note) { return note.find("\n" + words) != std::string::npos; });
    }
    void hurry() {
        rig.run("UPDATE connector_state SET open_until = now()");
        rig.run("UPDATE ticket SET due = now() WHERE state IN ('pending', 'in_doubt')");
    }
    /// Until the tickets show the incidents as they are, and two polls found nothing new.
    void settle() {
        const auto quiet = [&] {
            hurry();
            return rig.ask("SELECT count(*) FROM outbox") == "0" && rig.ask("SELECT count(*) FROM ticket WHERE state <> 'done' OR delivered < wanted") == "0";
        };
        REQUIRE(rig.wait(quiet));
        const auto polls = rig.ticketing().dispatcher().usage().polls;
        REQUIRE(rig.wait([&] { return rig.ticketing().dispatcher().usage().polls >= polls + 2; }));
        REQUIRE(rig.settle());
        REQUIRE(rig.wait(quiet));
    }

    FakeRequestTracker tracker;
    TicketRig rig;
};

}  // namespace

TEST_CASE("tickets of incidents that were merged are linked and say so, once, whatever is lost or asked for again") {
    Desk desk;
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    desk.tracker.plan("relate", {lost});
    desk.tracker.plan("note", {lost, failed(502), lost});
    desk.rig.merge(second, first);
    desk.settle();
    CHECK(desk.tracker.linked(desk.id_of(first)) == std::set<int>{desk.id_of(second)});
    CHECK(desk.notes_with(second, fmt::format("Incident {} was merged into incident {}, which goes on in its stead", second, first)) == 1);
    CHECK(desk.notes_with(first, fmt::format("Incident {} was merged into this one.", second)) == 1);
    for (const auto number : {first, second})
        REQUIRE(desk.rig.desk().sync_ticket(desk.rig.caller(), std::stoll(desk.rig.ticket("soc", number, "id"))).has_value());
    desk.settle();
    CHECK(desk.notes_with(first, fmt::format("Incident {} was merged into this one.", second)) == 1);
    CHECK(desk.tracker.tickets().size() == 2);
    CHECK(std::ranges::count(desk.tracker.sorts(), "relate") == 1);
}

TEST_CASE("a link that Request Tracker does not take leaves the ticket delivered, with its words") {
    Desk desk;
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    desk.tracker.forbid_links(true);
    desk.rig.merge(second, first);
    desk.settle();
    CHECK(desk.rig.ticket("soc", second, "detail") ==
          fmt::format("Request Tracker did not take the link to #{}: answered 403: Permission Denied", desk.id_of(first)));
    CHECK(desk.rig.ask("SELECT paused FROM connector_state").empty());
    desk.tracker.forbid_links(false);
    REQUIRE(desk.rig.desk().sync_ticket(desk.rig.caller(), std::stoll(desk.rig.ticket("soc", second, "id"))).has_value());
    desk.settle();
    CHECK(desk.rig.ticket("soc", second, "detail").empty());
    CHECK(desk.tracker.linked(desk.id_of(second)) == std::set<int>{desk.id_of(first)});
}

TEST_CASE("an incident that was merged before it had a ticket in Request Tracker gets none") {
    Desk desk;
    const auto first = desk.story("alice@corp.example");
    desk.tracker.plan("find", {refused(429, "", {"Retry-After: 3600"})});
    const auto second = desk.rig.story("bob@corp.example", 5h);
    REQUIRE(desk.rig.wait([&] { return desk.rig.ticket("soc", second, "due > now() + interval '30 minutes'") == "true"; }));
    desk.rig.merge(second, first);
    desk.settle();
    CHECK(desk.rig.ticket("soc", second, "external_id").empty());
    CHECK(desk.notes_with(first, fmt::format("Incident {} was merged into this one.", second)) == 1);
    CHECK(desk.tracker.tickets().size() == 1);
}

TEST_CASE("comments and what people write on a ticket of Request Tracker go both ways, each once, and at last nothing moves") {
    for (const auto* way : {"comment", "correspond"}) {
        CAPTURE(way);
        Desk desk{way};
        const auto number = desk.story("alice@corp.example");
        desk.tracker.plan("note", {lost});
        desk.rig.comment(number, "from the incident");
        desk.settle();
        desk.tracker.say(1, "mika", "I called her:\nnot her.");
        desk.tracker.say(1, "correlator", "by another program under our account");
        desk.tracker.say(1, "root", "<p>And <b>him</b>?</p>", "text/html");
        REQUIRE(desk.rig.wait([&] { return desk.rig.comments(number).find("him") != std::string::npos; }));
        desk.settle();
        const auto said = fmt::format("{} said from the incident|soc:mika said I called her:\nnot her.|soc:root said And him?", desk.rig.caller().key_id);
        CHECK(desk.rig.comments(number) == said);
        const auto notes = desk.tracker.tickets().at(1).notes;
        REQUIRE(notes.size() == 1);  // nothing else has changed: there is no note of a change
        CHECK(notes[0].starts_with("Catenary catenary-"));
        CHECK(notes[0].find("from the incident") != std::string::npos);
        const auto revision = desk.rig.ask("SELECT revision FROM incident");
        desk.rig.run("UPDATE connector_state SET polled = ''");  // everything is told anew
        desk.settle();
        CHECK(desk.rig.comments(number) == said);
        CHECK(desk.tracker.tickets().at(1).notes == notes);
        CHECK(desk.rig.ask("SELECT revision FROM incident") == revision);
    }
}

TEST_CASE("a note is looked for in the whole history of a ticket before it is written again") {
    Desk desk;
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    desk.rig.merge(second, first);
    desk.settle();
    for (int i = 0; i < 230; ++i) desk.tracker.say(desk.id_of(first), "correlator", "on and on");
    REQUIRE(desk.rig.desk().sync_ticket(desk.rig.caller(), std::stoll(desk.rig.ticket("soc", first, "id"))).has_value());
    desk.settle();
    CHECK(desk.notes_with(first, fmt::format("Incident {} was merged into this one.", second)) == 1);
}

TEST_CASE("a reply of ours does not keep a ticket open that is to be closed, and somebody's reply opens ticket and incident again") {
    Desk desk{"correspond"};
    const auto number = desk.story("alice@corp.example");
    engine::IncidentEdit edit;
    edit.number = IncidentNumber{number};
    edit.status = engine::IncidentStatus::closed;
    edit.classification = engine::Classification::true_positive;
    desk.rig.edit(edit);
    desk.settle();
    CHECK(desk.tracker.tickets().at(1).status == "resolved");
    CHECK(desk.tracker.tickets().at(1).notes.size() == 1);
    CHECK(desk.rig.ask("SELECT status FROM incident") == "closed");
    CHECK(desk.rig.ticket("soc", number, "detail").empty());
    desk.rig.comment(number, "for the record");
    desk.settle();
    CHECK(desk.tracker.tickets().at(1).notes.size() == 2);
    CHECK(desk.tracker.tickets().at(1).status == "resolved");
    CHECK(desk.rig.ask("SELECT status FROM incident") == "closed");
    desk.tracker.say(1, "mika", "It goes on!");
    REQUIRE(desk.rig.wait([&] { return desk.rig.ask("SELECT status FROM incident") == "active"; }));
    CHECK(desk.tracker.tickets().at(1).status == "open");
}
