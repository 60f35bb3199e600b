#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using nlohmann::json;

TEST_CASE("a finding shows its stages, evidence and bits") {
    tests::FakeApi api;
    const auto finding = tests::finding_of_two();
    api.findings.rows = {
        {finding, {{engine::SignalRef{finding.start, "entra_id", "aad-7f3"}, "access"}, {engine::SignalRef{finding.end, "exchange", "o-1"}, "persistence"}}}};
    const auto reply = api.get("/api/v1/findings/3b241101-e2bb-5255-8caf-4136c566a962");
    REQUIRE(reply.status == 200);
    CHECK(reply.body["kind"] == "pattern");
    CHECK(reply.body["state"] == "open");
    CHECK(reply.body["incident"] == 17);
    CHECK(reply.body["waiting_for"].is_null());
    CHECK(reply.body["principals"] == json::parse(R"([{"kind": "account", "value": "j.morrison@ne.example"}])"));
    CHECK(reply.body["stages"][0]["count"] == 1);
    CHECK(reply.body["evidence"][1] == json::parse(R"({"source": "exchange", "id": "o-1", "stage": "persistence"})"));
    CHECK(reply.body["evidence_total"] == 2);
    double sum = reply.body["prior_bits"].get<double>() + reply.body["domain_bonus_bits"].get<double>() + reply.body["phase_bonus_bits"].get<double>();
    for (const auto& part : reply.body["contributions"]) sum += part["bits"].get<double>();
    CHECK(sum == doctest::Approx(reply.body["total_bits"].get<double>()));
    CHECK(api.get("/api/v1/findings").body["items"][0] == reply.body);
}

TEST_CASE("a superseded finding says by what") {
    tests::FakeApi api;
    auto finding = tests::finding_of_two();
    finding.state = engine::FindingState::superseded;
    finding.incident.reset();
    finding.superseded_by = finding.id;
    api.findings.rows = {{finding, {}}};
    const auto body = api.get("/api/v1/findings?state=superseded").body["items"][0];
    CHECK(body["state"] == "superseded");
    CHECK(body["incident"].is_null());
    CHECK(body["superseded_by"] == "3b241101-e2bb-5255-8caf-4136c566a962");
    CHECK(api.findings.asked.states == std::vector{engine::FindingState::superseded});
}

TEST_CASE("a waiting finding says until when and for what, and a finding what came too late") {
    tests::FakeApi api;
    auto finding = tests::finding_of_two();
    finding.state = engine::FindingState::waiting;
    finding.incident.reset();
    finding.waiting_until = engine::from_micros(1'772'749'631'000'000);
    finding.absences = {"name = travel_approved between access and persistence"};
    api.findings.rows = {{finding, {}}};
    auto body = api.get("/api/v1/findings?state=waiting").body["items"][0];
    CHECK(body["state"] == "waiting");
    CHECK(body["waiting_for"] == json::parse(R"({"until": "2026-03-05T22:27:11Z", "absent": ["name = travel_approved between access and persistence"]})"));
    CHECK_FALSE(body.contains("late_answers"));

    finding.state = engine::FindingState::open;
    finding.waiting_until.reset();
    finding.late_answers = {{engine::SignalRef{engine::from_micros(1'772'749'631'000'000), "hr", "t-1"}, finding.absences.front()}};
    api.findings.rows = {{finding, {}}};
    body = api.get("/api/v1/findings").body["items"][0];
    CHECK(body["waiting_for"].is_null());
    CHECK(body["late_answers"] == json::parse(R"([{"source": "hr", "id": "t-1", "time": "2026-03-05T22:27:11Z",
                                                   "absent": "name = travel_approved between access and persistence"}])"));
    CHECK(body["more_late_answers"] == false);
}

TEST_CASE("filters of findings reach the reader") {
    tests::FakeApi api;
    CHECK(api.get("/api/v1/findings?kind=pattern&pattern=a&pattern=b&entity=account:A%40b.example&incident=17&mode=flighting").status == 200);
    const auto& filter = api.findings.asked;
    CHECK(filter.patterns == std::vector<std::string>{"a", "b"});
    CHECK(filter.entities == std::vector<engine::EntityKey>{{"account", "a@b.example"}});
    CHECK(filter.incident == engine::IncidentNumber{17});
    CHECK(filter.flighting);
    CHECK(filter.states == std::vector{engine::FindingState::open, engine::FindingState::waiting});
    CHECK(api.get("/api/v1/findings?state=waiting&state=superseded").status == 200);
    CHECK(filter.states == std::vector{engine::FindingState::waiting, engine::FindingState::superseded});
    CHECK(api.get("/api/v1/findings?kind=emergent&incident=0&state=closed&rule=x").pointers() ==
          std::vector<std::string>{"/kind", "/incident", "/state", "/rule"});
}

TEST_CASE("what is no finding's id is not found") {
    tests::FakeApi api;
    api.findings.rows = {{tests::finding_of_two(), {}}};
    for (const auto* id : {"x", "3b241101-e2bb-5255-8caf-4136c566a963", "{3b241101-e2bb-5255-8caf-4136c566a962}", "3b241101e2bb52558caf4136c566a962",
                           "3B241101-E2BB-5255-8CAF-4136C566A962"}) {
        CAPTURE(std::string{id});
        CHECK(api.get("/api/v1/findings/" + std::string{id}).status == 404);
    }
}
