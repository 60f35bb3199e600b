#include "server/pg/ticket_queue.hpp"
#include "tests/server/tickets/fake_servicenow.hpp"
#include "tests/server/tickets/misbehaviour.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

// ServiceNow's ways, by a fake written from the description of its interface.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

FakeServiceNow& as_servicenow(FakeSystem& fake) { return dynamic_cast<FakeServiceNow&>(fake); }

}  // namespace

TEST_CASE("whatever ServiceNow does, an incident has one record and a change one note") {
    FakeServiceNow servicenow;
    auto rows = usual_misbehaviours();
    rows.push_back({.name = "a change is answered 200 and not made",
                    .while_changed =
                        [](FakeSystem& fake) {
                            fake.plan("change", {Fate{Fate::Kind::dropped, {}}});
                        },
                    .detail = "did not take state 2 and has 1",
                    .notes = 0});
    rows.push_back({.name = "states are dropped",
                    .while_changed = [](FakeSystem& fake) { as_servicenow(fake).drop("state"); },
                    .detail = "did not take state 2 and has 1"});
    rows.push_back({.name = "urgency is dropped",
                    .while_made = [](FakeSystem& fake) { as_servicenow(fake).drop("urgency"); },
                    .detail = "did not take urgency 3",
                    .notes = 1});
    rows.push_back({.name = "a business rule is in the way",
                    .while_made =
                        [](FakeSystem& fake) {
                            as_servicenow(fake).drop("");
                            fake.plan("create", {refused(403, R"({"error":{"message":"Operation Failed","detail":"aborted by Business Rule 'Freeze'"}})")});
                        },
                    .detail = "aborted by Business Rule 'Freeze'",
                    .state = "failed",
                    .tickets = 0});
    check_misbehaviours(servicenow, rows);
}

TEST_CASE("records of ServiceNow and their incidents close and open each other, with and without a history to read") {
    FakeServiceNow servicenow;
    SUBCASE("with") {}
    SUBCASE("without") { servicenow.hide_history(); }
    check_both_ways(servicenow);
}

TEST_CASE("a record that was deleted in ServiceNow is gone, and made anew only when asked for") {
    FakeServiceNow servicenow;
    check_gone(servicenow);
}

TEST_CASE("a hook of ServiceNow is followed at once") {
    FakeServiceNow servicenow;
    check_hooks(servicenow);
}

TEST_CASE("a record is resolved with the close code of the incident's classification, and its close code classifies the incident") {
    FakeServiceNow servicenow;
    TicketRig rig;
    rig.put("soc", servicenow.connector());
    const auto first = rig.story("alice@corp.example");
    const auto second = rig.story("bob@corp.example", 5h);
    REQUIRE(rig.reaches("soc", first, "done"));
    REQUIRE(rig.reaches("soc", second, "done"));
    const auto made = servicenow.tickets().at(1);
    CHECK(made.priority == "1");
    CHECK(made.title.size() <= 160);
    CHECK(made.body.size() < 4'000);
    CHECK(rig.ticket("soc", first, "external_url") == servicenow.url() + "/nav_to.do?uri=%2Fincident.do%3Fsys_id%3D00000000000000000000000000000001");
    engine::IncidentEdit edit;
    edit.number = engine::IncidentNumber{first};
    edit.status = engine::IncidentStatus::closed;
    edit.classification = engine::Classification::true_positive;
    rig.edit(edit);
    REQUIRE(rig.wait([&] { return servicenow.tickets().at(1).status == "6"; }));
    CHECK(servicenow.tickets().at(1).more.at("close_code") == "Solution provided");
    edit.number = engine::IncidentNumber{second};
    edit.classification = engine::Classification::undetermined;
    rig.edit(edit);
    REQUIRE(rig.wait([&] { return servicenow.tickets().at(2).status == "6"; }));
    CHECK(servicenow.tickets().at(2).more.at("close_code") == "Resolved by request");
}

TEST_CASE("a table without correlation_id is found out before a second record is taken for ours") {
    FakeServiceNow servicenow;
    TicketRig rig;
    rig.put("soc", servicenow.connector());
    CHECK(rig.desk().test_connector(rig.caller(), "soc")->detail == "signed in as catenary; table incident is there");
    const auto first = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", first, "done"));
    servicenow.lose_column();
    const auto second = rig.story("bob@corp.example", 5h);
    REQUIRE(rig.reaches("soc", second, "failed"));
    CHECK(rig.ticket("soc", second, "detail").find("does not search by correlation_id") != std::string::npos);
    CHECK(servicenow.tickets().size() == 1);
    CHECK_FALSE(rig.desk().test_connector(rig.caller(), "soc")->ok);
}

TEST_CASE("whom ServiceNow does not know pauses the connector, and what it shows of it holds no credentials") {
    FakeServiceNow servicenow;
    TicketRig rig;
    auto body = servicenow.connector();
    body["secrets"] = {{"password", "other"}};
    rig.put("soc", body);
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.wait([&] { return rig.ask("SELECT paused <> '' FROM connector_state WHERE name = 'soc'") == "t"; }));
    CHECK(rig.ask("SELECT paused FROM connector_state WHERE name = 'soc'") == "answered 401: User Not Authenticated: Required to provide Auth information");
    CHECK(rig.reaches("soc", number, "pending"));
    rig.put("soc", servicenow.connector());
    REQUIRE(rig.reaches("soc", number, "done"));
}

TEST_CASE("who was refused with a connector as it was before somebody changed it does not pause it") {
    FakeServiceNow servicenow;
    TicketRig rig;
    rig.put("soc", servicenow.connector());
    REQUIRE(rig.reaches("soc", rig.story("alice@corp.example"), "done"));
    server::pg::TicketQueue queue{rig.database().api(), rig.caller().tenant, "soc", rig.ask("SELECT owner FROM connector_state")};
    const auto epoch = std::stoll(rig.ask("SELECT epoch FROM connector_state"));
    const auto paused = [&] { return rig.ask("SELECT paused FROM connector_state"); };

    REQUIRE(queue.load(rig.ticketing().box()).has_value());
    rig.put("soc", servicenow.connector());
    REQUIRE(queue.pause(epoch, "answered 401").has_value());
    CHECK(paused().empty());
    REQUIRE(queue.load(rig.ticketing().box()).has_value());
    REQUIRE(queue.pause(epoch, "answered 401").has_value());
    CHECK(paused() == "answered 401");
}
