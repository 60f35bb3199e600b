#include "tests/server/tickets/misbehaviour.hpp"

#include "tests/server/tickets/hook_message.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace catenary::tests {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

engine::IncidentEdit edit_of(std::int64_t number) {
    engine::IncidentEdit edit;
    edit.number = engine::IncidentNumber{number};
    return edit;
}

std::string incident(TicketRig& rig, std::int64_t number, const std::string& column) {
    return rig.ask(fmt::format("SELECT coalesce({}::text, '') FROM incident WHERE number = {}", column, number));
}

/// Whatever waits for its back-off is due now. Two statements, since a worker locks these rows the other way round.
void hurry(TicketRig& rig) {
    rig.run("UPDATE ticket SET due = now() WHERE state IN ('pending', 'in_doubt') AND due > now()");
    rig.run("UPDATE connector_state SET open_until = now() WHERE open_until > now()");
}

/// Until its ticket shows the incident as it is, or has failed.
bool arrives(TicketRig& rig, std::int64_t number, const std::string& state) {
    return rig.wait([&] {
        hurry(rig);
        if (rig.ticket("soc", number, "state") != state) return false;
        return state != "done" || rig.ticket("soc", number, "delivered") == incident(rig, number, "revision");
    });
}

void check_row(FakeSystem& fake, TicketRig& rig, const Misbehaviour& row, int nth) {
    CAPTURE(row.name);
    row.while_made(fake);
    const auto number = rig.story(fmt::format("user{}@corp.example", nth), nth * 5h);
    REQUIRE_MESSAGE(arrives(rig, number, row.state), rig.ticket("soc", number, "state || ' ' || detail"));
    if (row.state == "done") {
        row.while_changed(fake);
        auto edit = edit_of(number);
        edit.severity = engine::Severity::low;
        edit.status = engine::IncidentStatus::active;
        rig.edit(edit);
        REQUIRE_MESSAGE(arrives(rig, number, row.state), rig.ticket("soc", number, "state || ' ' || detail"));
    }
    const auto detail = rig.ticket("soc", number, "detail");
    CHECK_MESSAGE((row.detail.empty() ? detail.empty() : detail.find(row.detail) != std::string::npos), detail);
    const auto ids = fake.carrying(fmt::format("-{}", number));
    REQUIRE(static_cast<int>(ids.size()) == row.tickets);
    if (ids.empty() || row.state != "done") return;
    const auto ticket = fake.tickets().at(ids.front());
    CHECK(static_cast<int>(ticket.notes.size()) == row.notes);
    if (row.detail.empty()) CHECK(ticket.status == fake.word_for("active"));
}

}  // namespace

std::vector<Misbehaviour> usual_misbehaviours() {
    const auto plan = [](const char* sort, std::vector<Fate> fates) { return [sort, fates](FakeSystem& fake) { fake.plan(sort, fates); }; };
    const auto burst = std::vector<Fate>{refused(429, "", {"Retry-After: 1"}), refused(429, "", {"Retry-After: 1"}), refused(429, "", {"Retry-After: 1"})};
    const auto nothing = [](FakeSystem&) {};
    return {
        {.name = "it does as it should"},
        {.name = "the reply to a create is lost, twice", .while_made = plan("create", {lost, lost})},
        {.name = "it fails after it has made the ticket", .while_made = plan("create", {failed(502, "<html>Bad Gateway</html>")})},
        {.name = "it fails before it makes the ticket", .while_made = plan("create", {refused(500), refused(503, "", {"Retry-After: 1"})})},
        {.name = "a burst of 429", .while_made = plan("create", burst), .while_changed = plan("change", burst)},
        {.name = "the look-up is answered by something else", .while_made = plan("find", {failed(200, "<html>Maintenance</html>"), failed(500), lost})},
        {.name = "what was made cannot be read", .while_made = plan("read", {lost, failed(500)})},
        {.name = "the reply to a change is lost", .while_made = nothing, .while_changed = plan("change", {lost})},
        {.name = "it fails after the change", .while_made = nothing, .while_changed = plan("change", {failed(504)})},
        {.name = "what was changed cannot be read", .while_made = nothing, .while_changed = plan("read", {failed(200, "[]"), lost, failed(500)})},
    };
}

void check_misbehaviours(FakeSystem& fake, const std::vector<Misbehaviour>& rows) {
    TicketRig rig;
    rig.put("soc", fake.connector());
    int nth = 0;
    for (const auto& row : rows) check_row(fake, rig, row, nth++);
}

void check_both_ways(FakeSystem& fake) {
    TicketRig rig;
    rig.put("soc", fake.connector());
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    const auto id = fake.carrying(fmt::format("-{}", number)).at(0);
    const auto settled = [&] { return arrives(rig, number, "done"); };
    const auto quiet = [&] {  // no loop: in two more polls nothing moves
        REQUIRE(settled());
        const auto revision = incident(rig, number, "revision");
        const auto notes = fake.tickets().at(id).notes.size();
        const auto polls = rig.ticketing().dispatcher().usage().polls;
        REQUIRE(rig.wait([&] { return rig.ticketing().dispatcher().usage().polls >= polls + 2; }));
        CHECK(incident(rig, number, "revision") == revision);
        CHECK(fake.tickets().at(id).notes.size() == notes);
    };
    // There, here.
    fake.set_status(id, fake.rejected());
    REQUIRE(rig.wait([&] { return incident(rig, number, "status") == "closed"; }));
    CHECK(incident(rig, number, "classification") == "false_positive");
    quiet();
    CHECK(fake.tickets().at(id).status == fake.rejected());
    fake.set_status(id, fake.word_for("active"));
    REQUIRE(rig.wait([&] { return incident(rig, number, "status") == "active"; }));
    quiet();
    // Here, there.
    auto edit = edit_of(number);
    edit.status = engine::IncidentStatus::closed;
    edit.classification = engine::Classification::benign_positive;
    rig.edit(edit);
    REQUIRE(rig.wait([&] { return fake.tickets().at(id).status == fake.word_for("closed"); }));
    quiet();
    CHECK(incident(rig, number, "classification") == "benign_positive");
    auto again = edit_of(number);
    again.status = engine::IncidentStatus::active;
    rig.edit(again);
    REQUIRE(rig.wait([&] { return fake.tickets().at(id).status == fake.word_for("active"); }));
    quiet();
    CHECK(incident(rig, number, "status") == "active");
    CHECK(fake.carrying(fmt::format("-{}", number)).size() == 1);
}

void check_hooks(FakeSystem& fake) {
    const std::string secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
    TicketRig rig;
    auto body = fake.connector();
    body["poll"] = "1d";
    body["secrets"]["hook"] = secret;
    rig.put("soc", body);
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    REQUIRE(rig.wait([&] { return rig.ticketing().dispatcher().usage().polls >= 1; }));
    const auto ticket = rig.ticket("soc", number, "external_id");
    const auto send = [&](const std::string& delivery, const std::string& with) {
        const auto message =
            body["kind"] == "jira"
                ? jira_message(json{{"webhookEvent", "jira:issue_updated"}, {"issue", {{"id", ticket}}}}.dump(), delivery, with)
                : standard_message(json{{"type", "ticket.changed"}, {"timestamp", "2026-03-06T08:00:00Z"}, {"data", {{"ticket", ticket}}}}.dump(), delivery,
                                   seconds_now(), with);
        return rig.desk().take_hook(rig.ask("SELECT hook FROM connector"), message);
    };
    const auto id = fake.carrying(fmt::format("-{}", number)).at(0);
    fake.set_status(id, fake.rejected());
    CHECK(send("m-1", "whsec_MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEw").error().code == api::ports::FailureCode::not_found);
    REQUIRE(*send("m-1", secret));
    REQUIRE(rig.wait([&] { return incident(rig, number, "status") == "closed"; }));
    CHECK(incident(rig, number, "classification") == "false_positive");
    CHECK_FALSE(*send("m-1", secret));
    fake.set_status(id, fake.word_for("active"));
    REQUIRE(*send("m-2", secret));
    REQUIRE(rig.wait([&] { return incident(rig, number, "status") == "active"; }));
    CHECK(rig.ticketing().dispatcher().usage().polls == 1);
    CHECK(rig.wait([&] { return rig.ticketing().dispatcher().usage().hooks_followed == 2; }));  // counted once the incident is changed
}

void check_gone(FakeSystem& fake) {
    TicketRig rig;
    rig.put("soc", fake.connector());
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    fake.remove(fake.carrying(fmt::format("-{}", number)).at(0));
    auto edit = edit_of(number);
    edit.severity = engine::Severity::low;
    rig.edit(edit);
    REQUIRE(rig.reaches("soc", number, "gone"));
    CHECK(fake.carrying(fmt::format("-{}", number)).size() == 1);
    REQUIRE(rig.desk().sync_ticket(rig.caller(), std::stoll(rig.ticket("soc", number, "id"))).has_value());
    REQUIRE(rig.reaches("soc", number, "done"));
    CHECK(fake.carrying(fmt::format("-{}", number)).size() == 2);
}

}  // namespace catenary::tests
