#include "tests/server/tickets/fake_redmine.hpp"
#include "tests/server/tickets/ticket_rig.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

// Tickets of incidents that are merged and split: each says where it goes on, and none is lost.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using engine::IncidentNumber;
using nlohmann::json;

namespace {

json redmine_at(const FakeRedmine& redmine) {
    return {{"kind", "redmine"},
            {"url", redmine.url()},
            {"secrets", {{"api_key", "key"}}},
            {"poll", "1s"},
            {"redmine", {{"project", "soc"}, {"tracker", 1}, {"incident_field", 1}}}};
}

/// Two incidents of two people, and a third.
struct Desk {
    Desk() { rig.put("soc", redmine_at(redmine)); }

    std::int64_t story(const std::string& account, std::chrono::microseconds after = {}) { return rig.story(account, after); }
    std::int64_t story_with_ticket(const std::string& account, std::chrono::microseconds after = {}) {
        const auto number = story(account, after);
        REQUIRE(rig.reaches("soc", number, "done"));
        return number;
    }
    /// The issue that is the incident's ticket, once it shows the incident as it is.
    FakeRedmine::Issue issue_of(std::int64_t number) {
        REQUIRE(rig.wait([&] {
            return rig.ask("SELECT count(*) FROM outbox") == "0" && rig.ticket("soc", number, "state") == "done" &&
                   rig.ticket("soc", number, "delivered") == rig.ask(fmt::format("SELECT revision FROM incident WHERE number = {}", number));
        }));
        return redmine.issues().at(id_of(number));
    }
    int id_of(std::int64_t number) { return std::stoi(rig.ticket("soc", number, "external_id")); }
    /// Whatever waits for its back-off is due now.
    void hurry() {
        rig.run("UPDATE connector_state SET open_until = now()");
        rig.run("UPDATE ticket SET due = now() WHERE state IN ('pending', 'in_doubt')");
    }

    FakeRedmine redmine;
    TicketRig rig;
};

std::ptrdiff_t notes_with(const FakeRedmine::Issue& issue, const std::string& words) {
    return std::ranges::count_if(issue.notes, [&](const std::string& note) { return note.find(words) != std::string::npos; });
}

std::string into(std::int64_t number) { return fmt::format("merged into incident {}, which goes on in its stead", number); }
std::string took_in(std::int64_t number) { return fmt::format("Incident {} was merged into this one.", number); }

}  // namespace

TEST_CASE("a merged incident's ticket and its heir's say so, once, and are related") {
    Desk desk;
    const auto first = desk.story_with_ticket("alice@corp.example");
    const auto second = desk.story_with_ticket("bob@corp.example", 5h);
    desk.rig.merge(second, first);
    const auto merged = desk.issue_of(second);
    CHECK(notes_with(merged, into(first)) == 1);
    CHECK(merged.description.find("Merged and split\n- This incident was " + into(first)) != std::string::npos);
    CHECK(merged.relations == std::set<int>{desk.id_of(first)});
    const auto heir = desk.issue_of(first);
    CHECK(notes_with(heir, took_in(second)) == 1);
    CHECK(heir.description.find(fmt::format("- {} Its ticket: {}", took_in(second), desk.id_of(second))) != std::string::npos);
    CHECK(heir.relations == std::set<int>{desk.id_of(second)});
    // Sent again as it is, and changed: nothing of it is said twice.
    for (const auto number : {first, second})
        REQUIRE(desk.rig.desk().sync_ticket(desk.rig.caller(), std::stoll(desk.rig.ticket("soc", number, "id"))).has_value());
    REQUIRE(desk.rig.reaches("soc", second, "done"));
    engine::IncidentEdit edit;
    edit.number = IncidentNumber{first};
    edit.severity = engine::Severity::low;
    desk.rig.edit(edit);
    CHECK(notes_with(desk.issue_of(first), took_in(second)) == 1);
    CHECK(notes_with(desk.issue_of(second), into(first)) == 1);
    CHECK(desk.redmine.issues().size() == 2);
    CHECK(desk.rig.ask("SELECT count(*) FROM delivery WHERE action = 'relate'") == "1");
}

TEST_CASE("lost replies make no second relation and no second note") {
    Desk desk;
    const auto first = desk.story_with_ticket("alice@corp.example");
    const auto second = desk.story_with_ticket("bob@corp.example", 5h);
    desk.redmine.lose_replies("POST", 1);  // of the relation
    desk.redmine.lose_replies("PUT", 3);
    desk.rig.merge(second, first);
    REQUIRE(desk.rig.wait([&] {
        desk.hurry();
        return desk.rig.ask("SELECT count(*) FROM ticket WHERE state = 'done' AND delivered = wanted") == "2" &&
               desk.rig.ask("SELECT count(*) FROM outbox") == "0";
    }));
    CHECK(desk.rig.ask("SELECT count(*) FROM delivery WHERE action = 'relate' AND status = 0") == "1");
    CHECK(notes_with(desk.issue_of(second), into(first)) == 1);
    const auto heir = desk.issue_of(first);
    CHECK(notes_with(heir, took_in(second)) == 1);
    CHECK(heir.relations == std::set<int>{desk.id_of(second)});
}

TEST_CASE("an incident that is merged while its ticket is in doubt keeps the one that was made") {
    Desk desk;
    const auto first = desk.story_with_ticket("alice@corp.example");
    desk.redmine.lose_replies("POST", 1);
    const auto second = desk.story("bob@corp.example", 5h);
    REQUIRE(desk.rig.reaches("soc", second, "in_doubt"));
    desk.rig.merge(second, first);
    desk.hurry();
    CHECK(notes_with(desk.issue_of(second), into(first)) == 1);
    CHECK(desk.redmine.issues().size() == 2);
    CHECK(desk.issue_of(first).relations == std::set<int>{desk.id_of(second)});
}

TEST_CASE("an incident that is merged while its ticket is being sent is told about afterwards") {
    Desk desk;
    const auto first = desk.story_with_ticket("alice@corp.example");
    desk.redmine.hold_replies(true);
    const auto second = desk.story("bob@corp.example", 5h);
    REQUIRE(desk.rig.reaches("soc", second, "sending"));
    desk.rig.merge(second, first);
    desk.redmine.hold_replies(false);
    CHECK(desk.issue_of(second).relations == std::set<int>{desk.id_of(first)});
    CHECK(notes_with(desk.issue_of(first), took_in(second)) == 1);
    CHECK(desk.redmine.issues().size() == 2);
}

TEST_CASE("an incident that is merged before it had a ticket gets none, and its heir's tells of it") {
    Desk desk;
    const auto first = desk.story_with_ticket("alice@corp.example");
    desk.redmine.refuse("GET", 1, {429, "", {"Retry-After: 3600"}, {}});  // the look before it is made
    const auto second = desk.story("bob@corp.example", 5h);
    REQUIRE(desk.rig.wait([&] { return desk.rig.ticket("soc", second, "due > now() + interval '30 minutes'") == "true"; }));
    desk.rig.merge(second, first);
    desk.hurry();
    REQUIRE(desk.rig.reaches("soc", second, "done"));
    CHECK(desk.rig.ticket("soc", second, "external_id").empty());
    CHECK(desk.rig.ticket("soc", second, "detail") ==
          fmt::format("incident {} was merged into incident {} before it had a ticket: that one's ticket tells of it", second, first));
    const auto heir = desk.issue_of(first);
    CHECK(notes_with(heir, took_in(second)) == 1);
    CHECK(heir.relations.empty());
    CHECK(desk.redmine.issues().size() == 1);
}

TEST_CASE("an incident that takes in one with a ticket gets a ticket, whatever the condition") {
    Desk desk;
    auto picky = redmine_at(desk.redmine);
    picky["condition"] = {{"label", "vip"}};
    picky["when"] = {"crossed"};
    desk.rig.put("soc", picky);
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    const auto third = desk.story("carol@corp.example", 10h);
    REQUIRE(desk.rig.desk().open_ticket(desk.rig.caller(), IncidentNumber{second}, "soc").has_value());
    REQUIRE(desk.rig.reaches("soc", second, "done"));
    CHECK(desk.rig.ticket("soc", first, "state") == "none");
    desk.rig.merge(second, first);
    REQUIRE(desk.rig.reaches("soc", first, "done"));
    CHECK(desk.issue_of(second).relations == std::set<int>{desk.id_of(first)});
    CHECK(desk.issue_of(first).description.find(took_in(second)) != std::string::npos);
    CHECK(desk.rig.ticket("soc", third, "state") == "none");
}

TEST_CASE("a chain of merges leads every ticket to the one that goes on") {
    Desk desk;
    const auto first = desk.story_with_ticket("alice@corp.example");
    const auto second = desk.story_with_ticket("bob@corp.example", 5h);
    const auto third = desk.story_with_ticket("carol@corp.example", 10h);
    desk.rig.merge(third, second);
    CHECK(notes_with(desk.issue_of(third), into(second)) == 1);
    desk.rig.merge(second, first);
    CHECK(notes_with(desk.issue_of(second), into(first)) == 1);
    CHECK(notes_with(desk.issue_of(third), into(first)) == 1);
    const auto heir = desk.issue_of(first);
    CHECK(notes_with(heir, took_in(second)) == 1);
    CHECK(notes_with(heir, took_in(third)) == 1);
    CHECK(heir.relations == std::set<int>{desk.id_of(second), desk.id_of(third)});
    CHECK(desk.redmine.issues().size() == 3);
}

TEST_CASE("what is split off gets a ticket of its own, and both say so; merged before or not") {
    Desk desk;
    const auto first = desk.story_with_ticket("alice@corp.example");
    const auto second = desk.story_with_ticket("bob@corp.example", 5h);
    desk.rig.merge(second, first);
    desk.issue_of(first);
    auto picky = redmine_at(desk.redmine);
    picky["condition"] = {{"label", "vip"}};
    desk.rig.put("soc", picky);
    const auto third = desk.rig.split(first, "bob@corp.example");
    CHECK(third != second);
    REQUIRE(desk.rig.reaches("soc", third, "done"));
    const auto apart = desk.issue_of(third);
    CHECK(notes_with(apart, fmt::format("The findings of this incident were split off incident {}.", first)) == 1);
    CHECK(apart.relations == std::set<int>{desk.id_of(first)});
    const auto rest = desk.issue_of(first);
    CHECK(notes_with(rest, fmt::format("Findings of this incident were split off to incident {}.", third)) == 1);
    CHECK(rest.relations == std::set<int>{desk.id_of(second), desk.id_of(third)});
    CHECK(desk.redmine.issues().size() == 3);
    // And together again.
    desk.rig.merge(third, first);
    CHECK(notes_with(desk.issue_of(third), into(first)) == 1);
    CHECK(notes_with(desk.issue_of(first), took_in(third)) == 1);
    CHECK(desk.redmine.issues().size() == 3);
}

TEST_CASE("a signal that joins two incidents makes their tickets follow") {
    Desk desk;
    const auto first = desk.story_with_ticket("alice@corp.example");
    const auto second = desk.story_with_ticket("bob@corp.example", 1h);
    auto both = inbox_rule("both", "alice@corp.example", 100min);
    both.entities.push_back({"account", "bob@corp.example", "actor", true});
    REQUIRE(summary(desk.rig.lanes().ingest().post(desk.rig.caller().tenant, {both})) == "a");
    REQUIRE(desk.rig.settle());
    REQUIRE(desk.rig.ask(fmt::format("SELECT merged_into FROM incident WHERE number = {}", second)) == std::to_string(first));
    const auto merged = desk.issue_of(second);
    CHECK(notes_with(merged, into(first)) == 1);
    CHECK(merged.relations == std::set<int>{desk.id_of(first)});
    CHECK(notes_with(desk.issue_of(first), took_in(second)) == 1);
}

TEST_CASE("a relation that Redmine does not take leaves the ticket delivered, with its words") {
    Desk desk;
    const auto first = desk.story_with_ticket("alice@corp.example");
    const auto second = desk.story_with_ticket("bob@corp.example", 5h);
    desk.redmine.forbid_relations(true);
    desk.rig.merge(second, first);
    CHECK(notes_with(desk.issue_of(second), into(first)) == 1);
    CHECK(desk.rig.ticket("soc", second, "detail") == fmt::format("Redmine did not take the relation to #{}: answered 403", desk.id_of(first)));
    CHECK(desk.rig.ask("SELECT paused FROM connector_state").empty());
    // Asked for again, with the right to do it.
    desk.redmine.forbid_relations(false);
    REQUIRE(desk.rig.desk().sync_ticket(desk.rig.caller(), std::stoll(desk.rig.ticket("soc", second, "id"))).has_value());
    REQUIRE(desk.rig.wait([&] { return !desk.redmine.issues().at(desk.id_of(second)).relations.empty(); }));
    REQUIRE(desk.rig.reaches("soc", second, "done"));
    CHECK(desk.rig.ticket("soc", second, "detail").empty());
    CHECK(desk.redmine.issues().at(desk.id_of(second)).relations == std::set<int>{desk.id_of(first)});
    // An issue that was deleted is nobody's relation any more.
    const auto third = desk.story_with_ticket("carol@corp.example", 10h);
    desk.redmine.remove(desk.id_of(first));
    desk.rig.merge(third, first);
    REQUIRE(desk.rig.reaches("soc", first, "gone"));
    CHECK(notes_with(desk.issue_of(third), into(first)) == 1);
}
