#include "server/tickets/adf.hpp"
#include "server/tickets/jira_issue.hpp"
#include "tests/server/tickets/fake_jira.hpp"
#include "tests/server/tickets/misbehaviour.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

// Jira's ways, by a fake written from the description of its interface.

using namespace catenary;
using namespace catenary::tests;
using nlohmann::json;

namespace {

FakeJira& as_jira(FakeSystem& fake) { return dynamic_cast<FakeJira&>(fake); }

}  // namespace

TEST_CASE("whatever Jira does, an incident has one issue and a change one note") {
    FakeJira jira;
    auto rows = usual_misbehaviours();
    const auto plan = [](const char* sort, std::vector<Fate> fates) { return [sort, fates](FakeSystem& fake) { fake.plan(sort, fates); }; };
    rows.push_back({.name = "the reply to a note is lost", .while_changed = plan("note", {lost})});
    rows.push_back({.name = "it fails after the note, then before it", .while_changed = plan("note", {failed(500), refused(503)})});
    rows.push_back({.name = "the reply to a transition is lost", .while_changed = plan("transition", {lost})});
    rows.push_back({.name = "a burst of 429 on every way", .while_changed = [](FakeSystem& fake) {
                        for (const auto* sort : {"read", "change", "note", "transition", "link"})
                            fake.plan(sort, {refused(429, "", {"Retry-After: 1"}), refused(429, "", {"Retry-After: 2"})});
                    }});
    rows.push_back({.name = "the link is lost", .while_made = plan("link", {lost, failed(500)})});
    rows.push_back({.name = "the search is behind, and the reply to the create is lost",
                    .while_made =
                        [](FakeSystem& fake) {
                            as_jira(fake).lag(30);
                            fake.plan("create", {lost});
                        },
                    .while_changed = [](FakeSystem& fake) { as_jira(fake).lag(0); }});
    rows.push_back({.name = "a transition is answered 204 and not made",
                    .while_changed = plan("transition", {Fate{Fate::Kind::dropped, {}}}),
                    .detail = "did not take status indeterminate and has To Do"});
    rows.push_back({.name = "no transition leads there",
                    .while_changed = [](FakeSystem& fake) { as_jira(fake).bar("indeterminate"); },
                    .detail = "no transition of Jira leads to indeterminate"});
    rows.push_back({.name = "priorities are dropped",
                    .while_made =
                        [](FakeSystem& fake) {
                            as_jira(fake).bar("");
                            as_jira(fake).drop("priority");
                        },
                    .detail = "did not take priority Low"});
    rows.push_back({.name = "neither labels nor properties are kept",
                    .while_made = [](FakeSystem& fake) { as_jira(fake).drop("everything"); },
                    .detail = "a lost reply may double this ticket",
                    .notes = 2});  // how it was made is not known either
    check_misbehaviours(jira, rows);
}

TEST_CASE("issues of Jira and their incidents close and open each other, although the search is behind") {
    FakeJira jira;
    jira.lag(2);
    check_both_ways(jira);
}

TEST_CASE("an issue that was deleted in Jira is gone, and made anew only when asked for") {
    FakeJira jira;
    check_gone(jira);
}

TEST_CASE("a hook of Jira is followed at once") {
    FakeJira jira;
    check_hooks(jira);
}

TEST_CASE("an issue whose label somebody took away is found by its link") {
    FakeJira jira;
    TicketRig rig;
    rig.put("soc", jira.connector());
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "done"));
    CHECK(rig.ticket("soc", number, "external_url") == jira.url() + "/browse/SOC-1");
    const auto made = jira.tickets().at(1);
    CHECK(made.more.at("labels").find(" soc ") != std::string::npos);
    CHECK(made.body.find("Timeline (UTC)") != std::string::npos);
    CHECK(made.more.at("link").ends_with(fmt::format("-{}", number)));
    jira.remove_label(1);
    rig.run("UPDATE ticket SET external_id = '', state = 'pending', delivered = 0, due = now()");
    REQUIRE(rig.reaches("soc", number, "done"));
    CHECK(jira.tickets().size() == 1);
    CHECK(rig.ticket("soc", number, "external_id") == "10001");
    CHECK(jira.tickets().at(1).notes.empty());
}

TEST_CASE("a test of a Jira says who signed in, and what is not there; what it refuses fails with its words") {
    FakeJira jira;
    TicketRig rig;
    auto body = jira.connector();
    rig.put("soc", body);
    CHECK(rig.desk().test_connector(rig.caller(), "soc")->detail == "signed in as Catenary; project SOC is there");
    body["jira"]["issue_type"] = "Bug";
    rig.put("soc", body);
    CHECK(rig.desk().test_connector(rig.caller(), "soc")->detail == "project SOC has no issue type Bug");
    const auto number = rig.story("alice@corp.example");
    REQUIRE(rig.reaches("soc", number, "failed"));
    CHECK(rig.ticket("soc", number, "detail") == "answered 400: issuetype: Specify a valid issue type");
    body["secrets"] = {{"api_token", "other"}};
    rig.put("soc", body);
    CHECK(rig.desk().test_connector(rig.caller(), "soc")->detail == "answered 401: Client must be authenticated to access this resource.");
    CHECK(rig.ask("SELECT count(*) FROM delivery WHERE request LIKE '%Ym90%' OR reply LIKE '%Ym90%'") == "0");
}

TEST_CASE("plain text becomes paragraphs and lists of ADF, and nothing of it is markup") {
    const auto document = server::tickets::adf_of("What happened\nIt *did* {code}\n\n- one\n  * two\n- \n\nlast");
    CHECK(document["type"] == "doc");
    CHECK(document["version"] == 1);
    REQUIRE(document["content"].size() == 3);
    CHECK(document["content"][0]["content"][1]["type"] == "hardBreak");
    CHECK(document["content"][0]["content"][2]["text"] == "It *did* {code}");
    CHECK(document["content"][1]["type"] == "bulletList");
    CHECK(document["content"][1]["content"].size() == 2);
    CHECK(document["content"][1]["content"][1]["content"][0]["content"][0]["text"] == "two");
    CHECK(server::tickets::text_of_adf(document) == "What happened\nIt *did* {code}\n- one\n- two\nlast");
    CHECK(server::tickets::adf_of("")["content"].empty());
    auto deep = json{{"type", "text"}, {"text", "x"}};
    for (int i = 0; i < 1000; ++i) deep = {{"type", "panel"}, {"content", json::array({deep})}};
    CHECK(server::tickets::text_of_adf(deep).empty());
}

TEST_CASE("Jira's times compare as texts, whatever their zone") {
    CHECK(server::tickets::jira::utc_of("2026-03-05T11:10:00.000+0100") == "2026-03-05T10:10:00.000Z");
    CHECK(server::tickets::jira::utc_of("2026-03-05T10:10:00.250+0000") == "2026-03-05T10:10:00.250Z");
    CHECK(server::tickets::jira::utc_of("2026-03-05T10:10:00.25-0230") == "2026-03-05T12:40:00.250Z");
    CHECK(server::tickets::jira::utc_of("yesterday").empty());
}
