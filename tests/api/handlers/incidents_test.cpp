#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace catenary;
using nlohmann::json;

namespace {

struct Story {
    Story() {
        api.incidents.records.emplace(17, tests::incident_of_two(17));
        api.incidents.found = {tests::finding_of_two()};
        api.incidents.rows = {{tests::stored_sign_in(), tests::finding_of_two().id, "access"}};
        api.incidents.lines = {{engine::IncidentNumber{17}, engine::Position{5}, tests::at("2026-03-05T23:11:00Z"), "catenary", "created", "by pattern"}};
    }
    tests::FakeApi api;
};

}  // namespace

TEST_CASE("a list shows an incident as the contract says") {
    Story story;
    const auto reply = story.api.get("/api/v1/incidents?limit=1&sort=-score");
    REQUIRE(reply.status == 200);
    const auto& item = reply.body["items"][0];
    CHECK(item["number"] == 17);
    CHECK(item["status"] == "new");
    CHECK(item["severity"] == "high");
    CHECK(item["classification"].is_null());
    CHECK(item["owner"].is_null());
    CHECK(item["entities"] ==
          json::parse(R"([{"kind": "account", "value": "j.morrison@ne.example", "principal": true}, {"kind": "ip", "value": "203.0.113.7"}])"));
    CHECK(item["first_activity"] == "2026-03-05T22:47:11Z");
    CHECK(item["patterns"] == json{"account-takeover-to-mass-download"});
    CHECK(item["revision"] == 3);
    CHECK_FALSE(item.contains("merged_into"));
    CHECK(story.api.incidents.asked.sort == std::vector<api::ports::IncidentFilter::Key>{{api::ports::IncidentFilter::Column::score, true}});
}

TEST_CASE("every filter of incidents reaches the reader") {
    Story story;
    const auto reply = story.api.get(
        "/api/v1/incidents?status=new&status=active&severity=high&classification=true_positive&owner=mika&label=vip&pattern=p&domain=email&tactic=TA0001"
        "&technique=T1078&entity=host:NE-FIN-014&score_min=0.5&first_activity_after=2026-03-01T00:00:00Z&first_activity_before=2026-03-02T00:00:00Z"
        "&last_activity_after=2026-03-03T00:00:00Z&last_activity_before=2026-03-04T00:00:00Z&created_after=2026-03-05T00:00:00Z"
        "&created_before=2026-03-06T00:00:00Z&updated_after=2026-03-07T00:00:00Z&updated_before=2026-03-08T00:00:00Z&q=rule"
        "&include=entities,redirected&sort=-severity,last_activity");
    REQUIRE(reply.status == 200);
    const auto& filter = story.api.incidents.asked;
    CHECK(filter.statuses == std::vector{engine::IncidentStatus::new_, engine::IncidentStatus::active});
    CHECK(filter.severities == std::vector{engine::Severity::high});
    CHECK(filter.classifications == std::vector{engine::Classification::true_positive});
    CHECK(filter.owners == std::vector<std::string>{"mika"});
    CHECK(filter.patterns == std::vector<std::string>{"p"});
    CHECK(filter.domains == std::vector<std::string>{"email"});
    CHECK(filter.tactics == std::vector<std::string>{"TA0001"});
    CHECK(filter.techniques == std::vector<std::string>{"T1078"});
    CHECK(filter.entities == std::vector<engine::EntityKey>{{"host", "ne-fin-014"}});
    CHECK(filter.score_min == 0.5);
    CHECK(filter.first_activity == api::ports::TimeRange{tests::at("2026-03-01T00:00:00Z"), tests::at("2026-03-02T00:00:00Z")});
    CHECK(filter.last_activity == api::ports::TimeRange{tests::at("2026-03-03T00:00:00Z"), tests::at("2026-03-04T00:00:00Z")});
    CHECK(filter.created == api::ports::TimeRange{tests::at("2026-03-05T00:00:00Z"), tests::at("2026-03-06T00:00:00Z")});
    CHECK(filter.updated == api::ports::TimeRange{tests::at("2026-03-07T00:00:00Z"), tests::at("2026-03-08T00:00:00Z")});
    CHECK(filter.q == "rule");
    CHECK(filter.include_redirected);
    CHECK(filter.labels == std::vector<std::string>{"vip"});
    using Filter = api::ports::IncidentFilter;
    CHECK(filter.sort == std::vector<Filter::Key>{{Filter::Column::severity, true}, {Filter::Column::last_activity, false}});
}

TEST_CASE("bad filters of incidents are refused together") {
    Story story;
    const auto reply = story.api.get("/api/v1/incidents?status=open&severity=critical&score_min=1.5&include=everything&sort=title&tag=x");
    CHECK(reply.status == 400);
    CHECK(reply.pointers() == std::vector<std::string>{"/status", "/severity", "/score_min", "/sort", "/include", "/tag"});
}

TEST_CASE("a list names the first entities, all on demand") {
    Story story;
    auto& incident = story.api.incidents.records.at(17);
    for (int i = 0; i < 100; ++i) incident.entities.push_back({"ip", "198.51.100." + std::to_string(i)});
    incident.entity_total = 1234;
    const auto brief = story.api.get("/api/v1/incidents").body["items"][0];
    CHECK(brief["entities"].size() == 20);
    CHECK(brief["entity_total"] == 1234);
    CHECK(story.api.get("/api/v1/incidents?include=entities").body["items"][0]["entities"].size() == 102);
    CHECK(story.api.get("/api/v1/incidents/17").body["entities"].size() == 102);
}

TEST_CASE("one incident comes with findings, stages and an entity tag") {
    Story story;
    const auto reply = story.api.get("/api/v1/incidents/17");
    REQUIRE(reply.status == 200);
    CHECK(reply.headers.at("ETag") == "\"3\"");
    CHECK(reply.body["description"] == tests::finding_of_two().summary);
    CHECK(reply.body["related"] == json{4});
    CHECK(reply.body["findings"][0]["pattern"] == "account-takeover-to-mass-download");
    REQUIRE(reply.body["stages"].size() == 3);
    CHECK(reply.body["stages"][1]["after"] == "PT22M49S");
    CHECK(reply.body["stages"][1]["limit"] == "P1D");
    CHECK(reply.body["stages"][1]["matched_by"] == "exchange/o-1");
    CHECK(reply.body["stages"][2]["matched_by"].is_null());
    const auto unchanged = story.api.get("/api/v1/incidents/17", "\"3\"");
    CHECK(unchanged.status == 304);
    CHECK(unchanged.headers.at("ETag") == "\"3\"");
    CHECK(story.api.get("/api/v1/incidents/17", "\"2\"").status == 200);
}

TEST_CASE("what is no incident's number is not found") {
    Story story;
    for (const auto* number : {"18", "0", "-1", "x", "17x", "+17", "99999999999999999999"}) {
        CAPTURE(std::string{number});
        CHECK(story.api.get("/api/v1/incidents/" + std::string{number}).status == 404);
        CHECK(story.api.get("/api/v1/incidents/" + std::string{number} + "/evidence").status == 404);
    }
}

TEST_CASE("a merged number answers with where it leads, and tells the story from there") {
    Story story;
    auto merged = tests::incident_of_two(5);
    merged.merged_into = engine::IncidentNumber{17};
    story.api.incidents.records.emplace(5, merged);
    const auto reply = story.api.get("/api/v1/incidents/5");
    CHECK(reply.status == 200);
    CHECK(reply.body["number"] == 5);
    CHECK(reply.body["merged_into"] == 17);
    story.api.incidents.numbers.clear();
    CHECK(story.api.get("/api/v1/incidents/5/evidence").status == 200);
    CHECK(story.api.get("/api/v1/incidents/5/explanation").body["incident"] == 17);
    for (const auto number : story.api.incidents.numbers) CHECK(number == 17);
    CHECK(story.api.patch("/api/v1/incidents/5", {{"owner", "mika"}}).status == 409);
}

TEST_CASE("evidence says what it serves and what its stage contributes") {
    Story story;
    const auto reply = story.api.get("/api/v1/incidents/17/evidence");
    REQUIRE(reply.status == 200);
    const auto& item = reply.body["items"][0];
    CHECK(item["source"] == "entra_id");
    CHECK(item["stage"] == "access");
    CHECK(item["finding"] == "3b241101-e2bb-5255-8caf-4136c566a962");
    CHECK(item["contribution_bits"].get<double>() == doctest::Approx(5.74));
}

TEST_CASE("the timeline and the history are lists") {
    Story story;
    const auto timeline = story.api.get("/api/v1/incidents/17/timeline").body["items"];
    REQUIRE(timeline.size() == 1);
    CHECK(timeline[0]["offset"] == "PT0S");
    CHECK(timeline[0]["stage"] == "access");
    const auto history = story.api.get("/api/v1/incidents/17/activity").body["items"];
    REQUIRE(history.size() == 1);
    CHECK(history[0]["what"] == "created");
}

TEST_CASE("the bits of an explanation add up to its total, and the total to its probability") {
    Story story;
    const auto reply = story.api.get("/api/v1/incidents/17/explanation");
    REQUIRE(reply.status == 200);
    const auto& finding = reply.body["findings"][0];
    const auto& score = finding["score"];
    double sum = 0;
    for (const auto& [name, value] : score.items()) {
        if (name.ends_with("_bits") && name != "total_bits") sum += value.get<double>();
    }
    for (const auto& part : score["contributions"]) sum += part["bits"].get<double>();
    CHECK(sum == doctest::Approx(score["total_bits"].get<double>()).epsilon(1e-12));
    CHECK(score["probability"].get<double>() == doctest::Approx(1 / (1 + std::exp2(-sum))).epsilon(1e-12));
    CHECK(finding["stages"][1]["linked_by"]["value"] == "j.morrison@ne.example");
    CHECK(reply.body["finding_total"] == 1);
}

TEST_CASE("an explanation says what would have kept a known pattern from firing") {
    Story story;
    const auto conditions = story.api.get("/api/v1/incidents/17/explanation").body["would_not_fire_if"];
    const auto said = [&conditions](std::string_view part) {
        return std::any_of(conditions.begin(), conditions.end(), [&](const json& c) { return c.get<std::string>().find(part) != std::string::npos; });
    };
    CHECK(said("\"persistence\" came before \"access\""));
    CHECK(said("had no account in common"));
    CHECK(said("\"persistence\" came more than 1 d after \"access\""));
    CHECK(said("nothing matched \"access\""));
    CHECK_FALSE(said("collection"));  // optional

    story.api.incidents.found[0].pattern = "deleted-since";
    CHECK(story.api.get("/api/v1/incidents/17/explanation").body["would_not_fire_if"].empty());
    api::ports::PatternVersion version;
    version.id = "own";
    version.version = 2;
    version.document_json = R"({"id":"own","title":"T","within":"1h","link":{"same":["ip"]},"stages":[{"id":"scan","match":{"name":"x"},)"
                            R"("repeat":{"at_least":5,"within":"10m","by":"ip"}}]})";
    story.api.patterns.former.push_back(version);
    story.api.incidents.found[0].pattern = "own";
    CHECK(story.api.get("/api/v1/incidents/17/explanation").body["would_not_fire_if"].empty());  // of another version
    story.api.incidents.found[0].version = 2;
    CHECK(story.api.get("/api/v1/incidents/17/explanation").body["would_not_fire_if"][0] == "fewer than 5 signals of \"scan\" came within 10 min for one ip");
}
