#include "tests/server/tickets/talk_desk.hpp"

#include "api/tickets/connector_kind.hpp"
#include "server/tickets/ticket_note.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

namespace catenary::tests {

using namespace std::chrono_literals;
using engine::IncidentNumber;
using nlohmann::json;

TalkDesk::TalkDesk(FakeSystem& system, const json& changes) : fake{system} {
    auto body = fake.connector();
    body["comments"] = true;
    body.merge_patch(changes);
    rig.put("soc", body);
}

std::int64_t TalkDesk::story(const std::string& account, std::chrono::microseconds after) {
    const auto number = rig.story(account, after);
    REQUIRE(rig.reaches("soc", number, "done"));
    return number;
}

void TalkDesk::close(std::int64_t number) {
    engine::IncidentEdit edit;
    edit.number = IncidentNumber{number};
    edit.status = engine::IncidentStatus::closed;
    edit.classification = engine::Classification::true_positive;
    rig.edit(edit);
}

void TalkDesk::send_again(std::int64_t number) { REQUIRE(rig.desk().sync_ticket(rig.caller(), std::stoll(rig.ticket("soc", number, "id"))).has_value()); }

int TalkDesk::id_of(std::int64_t number) const {
    const auto ids = fake.carrying(fmt::format("-{}", number));
    REQUIRE(ids.size() == 1);
    return ids.front();
}

std::ptrdiff_t TalkDesk::notes_with(std::int64_t number, const std::string& words) const {
    const auto notes = fake.tickets().at(id_of(number)).notes;
    return std::ranges::count_if(notes, [&](const std::string& note) { return ("\n" + note).find("\n" + words) != std::string::npos; });
}

void TalkDesk::hurry() {
    // Two statements, since a worker locks these rows the other way round.
    rig.run("UPDATE connector_state SET open_until = now() WHERE open_until > now()");
    rig.run("UPDATE ticket SET due = now() WHERE state IN ('pending', 'in_doubt') AND due > now()");
}

void TalkDesk::settle() {
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

std::string into(std::int64_t from, std::int64_t number) {
    return fmt::format("Incident {} was merged into incident {}, which goes on in its stead", from, number);
}
std::string took_in(std::int64_t number) { return fmt::format("Incident {} was merged into this one.", number); }

void check_merge(FakeSystem& fake) {
    TalkDesk desk{fake};
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    const std::vector<Fate> busy{refused(429, "", {"Retry-After: 1"}), lost, failed(502), lost};
    fake.plan("relate", {lost});
    fake.plan("note", busy);
    fake.plan("change", {lost, refused(429, "", {"Retry-After: 1"})});
    desk.rig.merge(second, first);
    desk.settle();
    const auto check = [&] {
        CHECK(fake.tied(desk.id_of(first), desk.id_of(second)));
        CHECK(fake.tied(desk.id_of(second), desk.id_of(first)));
        CHECK(desk.notes_with(second, into(second, first)) == 1);
        CHECK(desk.notes_with(first, took_in(second)) == 1);
        CHECK(desk.detail(first).empty());
        CHECK(desk.detail(second).empty());
        CHECK(fake.tickets().size() == 2);
        CHECK(std::ranges::count(fake.sorts(), "relate") == 1);
    };
    check();
    desk.send_again(first);
    desk.send_again(second);
    desk.settle();
    check();
}

void check_split(FakeSystem& fake) {
    TalkDesk desk{fake};
    const auto first = desk.story("alice@corp.example");
    const auto second = desk.story("bob@corp.example", 5h);
    desk.rig.merge(second, first);
    desk.settle();
    fake.plan("relate", {lost});
    fake.plan("note", {lost, lost});
    const auto third = desk.rig.split(first, "bob@corp.example");
    REQUIRE(desk.rig.wait([&] {
        desk.hurry();
        return desk.rig.ticket("soc", third, "state") == "done";
    }));
    desk.settle();
    desk.send_again(first);
    desk.send_again(third);
    desk.settle();
    CHECK(third != second);
    CHECK(fake.tied(desk.id_of(first), desk.id_of(third)));
    CHECK(fake.tied(desk.id_of(third), desk.id_of(first)));
    CHECK(desk.notes_with(third, fmt::format("The findings of this incident were split off incident {}.", first)) == 1);
    CHECK(desk.notes_with(first, fmt::format("Findings of this incident were split off to incident {}.", third)) == 1);
    CHECK(fake.tickets().size() == 3);
}

void check_merged_before_ticket(FakeSystem& fake) {
    TalkDesk desk{fake};
    const auto first = desk.story("alice@corp.example");
    fake.plan("find", {refused(429, "", {"Retry-After: 3600"})});
    const auto second = desk.rig.story("bob@corp.example", 5h);
    REQUIRE(desk.rig.wait([&] { return desk.rig.ticket("soc", second, "due > now() + interval '30 minutes'") == "true"; }));
    desk.rig.merge(second, first);
    desk.settle();
    CHECK(desk.rig.ticket("soc", second, "external_id").empty());
    CHECK(desk.notes_with(first, took_in(second)) == 1);
    CHECK(fake.tickets().size() == 1);
}

void check_comments(FakeSystem& fake, const json& changes, bool forges) {
    TalkDesk desk{fake, changes};
    const auto number = desk.story("alice@corp.example");
    const auto id = desk.id_of(number);
    fake.plan("note", {lost});
    desk.rig.comment(number, "from the incident");
    desk.settle();
    fake.say(id, "mika", "I called her:\nnot her.");
    fake.say(id, fake.account(), "by another program under our account");
    if (forges) fake.say(id, "mallory", "looks like ours\n\nCatenary " + fake.tickets().at(id).marker + " note comment-1");
    fake.say(id, "root", "And him?");
    REQUIRE(desk.rig.wait([&] { return desk.rig.comments(number).find("And him?") != std::string::npos; }));
    desk.settle();
    const auto said = fmt::format("{} said from the incident|soc:mika said I called her:\nnot her.|soc:root said And him?", desk.rig.caller().key_id);
    CHECK(desk.rig.comments(number) == said);
    const auto notes = fake.tickets().at(id).notes;
    REQUIRE(notes.size() == 1);  // nothing else has changed: there is no note of a change
    CHECK(notes[0].find("from the incident") != std::string::npos);
    const auto revision = desk.rig.ask("SELECT revision FROM incident");
    const auto changed = fake.tickets().at(id).changed;
    desk.rig.run("UPDATE connector_state SET polled = ''");  // everything is told anew
    desk.settle();
    desk.rig.restart_ticketing();
    desk.rig.run("UPDATE connector_state SET polled = ''");
    desk.settle();
    CHECK(desk.rig.comments(number) == said);
    CHECK(fake.tickets().at(id).notes == notes);
    CHECK(fake.tickets().at(id).changed == changed);
    CHECK(desk.rig.ask("SELECT revision FROM incident") == revision);
}

void check_long_notes(FakeSystem& fake, int notes, std::size_t bytes) {
    TalkDesk desk{fake};
    const auto number = desk.story("alice@corp.example");
    const auto id = desk.id_of(number);
    desk.rig.ticketing().dispatcher().stop();
    for (int i = 0; i < notes; ++i) fake.say(id, "mika", fmt::format("note {} ", i) + std::string(bytes, 'x'));
    desk.rig.comment(number, std::string(8'000, 'y'));
    desk.rig.restart_ticketing();
    REQUIRE(desk.rig.wait([&] { return desk.rig.ask("SELECT count(*) FROM incident_activity WHERE what = 'commented'") == std::to_string(notes + 1); }));
    desk.settle();
    for (const auto i : {0, notes - 1}) {
        const auto text = desk.rig.ask(fmt::format("SELECT detail FROM incident_activity WHERE what = 'commented' AND detail LIKE 'note {} %'", i));
        CHECK(text.size() <= 8'192);
        CHECK(text.ends_with("x\n\u2026 (cut; the ticket has the rest)"));
    }
    CHECK(desk.rig.ticketing().dispatcher().usage().notes_cut == notes);
    CHECK(desk.rig.ticketing().dispatcher().usage().notes_left == 0);
    // And ours on the ticket, within what a note may have there: it is known again by its last line.
    const auto ours = fake.tickets().at(id).notes;
    REQUIRE(ours.size() == 1);
    CHECK(server::tickets::last_line(ours[0]).starts_with("Catenary " + fake.tickets().at(id).marker + " note comment-"));
    CHECK(ours[0].size() <= api::tickets::facts_of(fake.connector()["kind"].get<std::string>())->most_body);
}

}  // namespace catenary::tests
