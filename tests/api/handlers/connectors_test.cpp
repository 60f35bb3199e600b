#include "api/routes.hpp"
#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace catenary;
using namespace catenary::tests;
using nlohmann::json;

namespace {

const std::string soc = "/api/v1/connectors/soc";

api::ports::EvidenceRow evidence_row() {
    api::ports::EvidenceRow row;
    row.signal = stored_sign_in();
    row.finding = finding_of_two().id;
    return row;
}

}  // namespace

TEST_CASE("a connector is made, shown without its secrets, replaced under its revision, and removed") {
    FakeApi api;
    const auto made = api.put(soc, redmine_document());
    REQUIRE(made.status == 201);
    CHECK(made.body["secrets"] == json::array({"api_key"}));
    CHECK(made.body["closing"] == "propose");
    CHECK(made.body["poll"] == "1m");
    CHECK(made.body["when"] == json::array({"created", "crossed"}));
    CHECK(made.body["deduplication"] == "look_up");
    CHECK(made.body["status"]["state"] == "running");
    CHECK(api.desk.secrets.at("soc") == R"({"api_key":["k"]})");
    CHECK(made.text.find("\"k\"") == std::string::npos);

    auto changed = redmine_document();
    changed.erase("secrets");
    changed["enabled"] = false;
    CHECK(api.put(soc, changed, "\"7\"").status == 412);
    const auto replaced = api.put(soc, changed, made.headers.at("ETag"));
    REQUIRE(replaced.status == 200);
    CHECK(replaced.body["revision"] == 2);
    CHECK(replaced.body["status"]["state"] == "disabled");
    CHECK(api.desk.secrets.at("soc") == R"({"api_key":["k"]})");
    CHECK(api.get("/api/v1/connectors").body["items"].size() == 1);
    CHECK(api.remove(soc, "\"1\"").status == 412);
    CHECK(api.remove(soc).status == 204);
    CHECK(api.get(soc).status == 404);
}

TEST_CASE("what a connector shows can be sent again as it is") {
    FakeApi api;
    auto shown = api.put(soc, redmine_document()).body;
    for (const auto* of_reply :
         {"name", "secrets", "hook", "deduplication", "follows_changes", "carries_notes", "tested_against", "status", "revision", "changed", "changed_by"})
        shown.erase(of_reply);
    const auto again = api.put(soc, shown);
    REQUIRE(again.status == 200);
    for (const auto& [name, value] : shown.items()) CHECK(again.body[name] == value);
}

TEST_CASE("a webhook takes several secrets, and nothing of ticket systems") {
    FakeApi api;
    const auto made = api.put("/api/v1/connectors/hook", json::parse(R"({"kind":"webhook","url":"https://t.example/hook?x=1",
        "secrets":{"signing":["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz","whsec_MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEw"]}})"));
    REQUIRE(made.status == 201);
    CHECK(made.body["deduplication"] == "by_id");
    CHECK(made.body["follows_changes"] == false);
    CHECK(made.body["carries_notes"] == false);
    CHECK_FALSE(made.body.contains("poll"));
}

TEST_CASE("every kind of ticket system is shown as it was put, with what holds of its kind") {
    struct Row {
        std::string kind, document, tested_against;
    };
    const std::vector<Row> rows{
        {"redmine", redmine_document().dump(), "real"},
        {"request_tracker", R"({"kind":"request_tracker","url":"https://t.example/rt/","secrets":{"token":"1-2-three"},"priorities":{"high":80},
            "request_tracker":{"queue":"SOC","incident_field":"External incident id","notes":"correspond"}})",
         "real"},
        {"jira", R"({"kind":"jira","url":"https://soc.atlassian.example","secrets":{"api_token":"t"},"priorities":{"high":"High","low":4},
            "statuses":{"closed":"done"},"labels":["soc"],"jira":{"project":"SOC","issue_type":"Task","account":"bot@corp.example"}})",
         "fake"},
        {"servicenow", R"({"kind":"servicenow","url":"https://soc.service-now.example","secrets":{"password":"w"},"priorities":{"high":1},
            "statuses":{"closed":6},"servicenow":{"table":"incident","account":"catenary","group":"9f","notes":"comments","close_code":"Resolved by request",
            "close_codes":{"false_positive":"User error"}}})",
         "fake"},
    };
    FakeApi api;
    for (const auto& row : rows) {
        CAPTURE(row.kind);
        const auto document = json::parse(row.document);
        const auto made = api.put("/api/v1/connectors/" + row.kind, document);
        REQUIRE_MESSAGE(made.status == 201, made.text);
        CHECK(made.body[row.kind] == document[row.kind]);
        CHECK(made.body["deduplication"] == "look_up");
        CHECK(made.body["follows_changes"] == true);
        CHECK(made.body["tested_against"] == row.tested_against);
        CHECK(made.body["carries_notes"] == true);
        auto shown = made.body;
        for (const auto* of_reply :
             {"name", "secrets", "hook", "deduplication", "follows_changes", "carries_notes", "tested_against", "status", "revision", "changed", "changed_by"})
            shown.erase(of_reply);
        CHECK(api.put("/api/v1/connectors/" + row.kind, shown).status == 200);
    }
}

TEST_CASE("a hook needs no key: what is genuine is answered at once, known or not") {
    FakeApi api;
    const auto match = api::find_route(api::http::Method::post, {"api", "v1", "hooks", "open"});
    REQUIRE(match.route != nullptr);
    CHECK(match.route->scope == api::Scope::none);
    const auto send = [&](const std::string& id) { return api.post("/api/v1/hooks/" + id, {{"type", "ticket.changed"}}); };
    const auto first = send("open");
    CHECK(first.status == 202);
    CHECK(first.body == json{{"known", false}});
    REQUIRE(api.desk.hooks.size() == 1);
    CHECK(api.desk.hooks[0].body == R"({"type":"ticket.changed"})");
    CHECK(send("open").body == json{{"known", true}});
    api.desk.hook_failure = api::ports::Failure{api::ports::FailureCode::invalid, "must be true or false", "/data/closed"};
    const auto unread = send("open");
    CHECK(unread.status == 422);
    CHECK(unread.body["errors"][0]["pointer"] == "/data/closed");
    CHECK(send("other").status == 404);
}

TEST_CASE("a preview says what the ticket would say, and whether there would be one") {
    FakeApi api;
    api.incidents.records.emplace(17, incident_of_two(17));
    api.incidents.found = {finding_of_two()};
    api.incidents.rows = {evidence_row()};
    auto document = redmine_document();
    document["title"] = "{number}: {severity}";
    REQUIRE(api.put(soc, document).status == 201);
    const auto preview = api.post(soc + "/preview", {{"incident", 17}});
    REQUIRE(preview.status == 200);
    CHECK(preview.body["title"].get<std::string>().starts_with("17: "));
    CHECK(preview.body["meets_condition"] == true);
    CHECK(preview.body["body"].get<std::string>().find("Timeline") != std::string::npos);
    CHECK(preview.body["body"].get<std::string>().find("ncident 18 ") == std::string::npos);
    api.desk.kindred = {{api::tickets::Kin::Tie::took_in, engine::IncidentNumber{18}, "43", "https://tickets.example/issues/43"}};
    const auto merged = api.post(soc + "/preview", {{"incident", 17}}).body["body"].get<std::string>();
    CHECK(merged.find("ncident 18 ") != std::string::npos);
    CHECK(merged.find("Its ticket: 43") != std::string::npos);
    document["condition"] = {{"score", {{"gt", 0.9999}}}};
    REQUIRE(api.put(soc, document).status == 200);
    CHECK(api.post(soc + "/preview", {{"incident", 17}}).body["meets_condition"] == false);
}

TEST_CASE("incidents show their tickets") {
    FakeApi api;
    for (const auto number : {17, 18}) api.incidents.records.emplace(number, incident_of_two(number));
    api.incidents.tickets = api.desk.rows = {ticket_of(17)};
    const auto one = api.get("/api/v1/incidents/17");
    REQUIRE(one.body["tickets"].size() == 1);
    CHECK(one.body["tickets"][0]["external_url"] == "https://tickets.example/issues/42");
    const auto list = api.get("/api/v1/incidents");
    REQUIRE(list.body["items"].size() == 2);
    for (const auto& incident : list.body["items"]) CHECK(incident["tickets"].size() == (incident["number"] == 17 ? 1 : 0));
}

TEST_CASE("tickets and deliveries are listed, and tried again") {
    FakeApi api;
    api.desk.rows = {ticket_of(17)};
    api::tickets::DeliveryRow line;
    line.id = 3;
    line.connector = "soc";
    line.ticket = 7;
    line.action = "create";
    line.at = at("2026-03-06T08:00:00Z");
    api.desk.lines = {line};
    const auto tickets = api.get("/api/v1/tickets?state=done&state=failed&connector=soc&incident=17");
    REQUIRE(tickets.body["items"].size() == 1);
    CHECK(api.desk.asked.states.size() == 2);
    CHECK(api.desk.asked.incident == engine::IncidentNumber{17});
    CHECK(api.get("/api/v1/deliveries?ticket=7&failed=true").body["items"][0]["action"] == "create");
    CHECK(api.post("/api/v1/tickets/7/sync", "", "").status == 202);
    CHECK(api.post("/api/v1/deliveries/3/retry", "", "").status == 202);
    CHECK(api.desk.asked_again == 2);
    REQUIRE(api.put(soc, redmine_document()).status == 201);
    api.incidents.records.emplace(17, incident_of_two(17));
    CHECK(api.post("/api/v1/incidents/17/tickets", {{"connector", "soc"}}).status == 202);
    const auto tested = api.post(soc + "/test", "", "");
    CHECK(tested.body["ok"] == true);
}
