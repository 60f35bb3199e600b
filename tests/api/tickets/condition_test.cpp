#include "api/tickets/condition.hpp"

#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace catenary;
using namespace catenary::tests;

namespace {

bool holds(const std::string& document, const engine::IncidentRecord& incident) {
    CAPTURE(document);
    engine::Faults faults;
    const auto condition = api::tickets::condition_from_json(api::documents::Place{faults}, nlohmann::json::parse(document));
    REQUIRE(condition.has_value());
    REQUIRE(faults.empty());
    return api::tickets::meets(condition->predicate, incident);
}

}  // namespace

TEST_CASE("a condition judges every field of an incident") {
    auto incident = incident_of_two(17);
    incident.severity = engine::Severity::high;
    incident.score = 0.9;
    incident.labels = {"crown-jewels", "vip"};
    incident.owner = "mika";
    const auto pattern = incident.patterns.at(0);
    for (const auto& met :
         {std::string{"{}"}, std::string{R"({"severity":{"gte":"medium"}})"}, std::string{R"({"score":{"gte":0.9}})"},
          std::string{R"({"status":"new","owner":"mika"})"}, R"({"pattern":")" + pattern + R"("})", std::string{R"({"label":["vip","other"]})"},
          std::string{R"({"domain":"identity","tactic":"TA0001","technique":{"prefix":"T1078"}})"},
          std::string{R"({"entities.account":"J.Morrison@ne.example"})"}, std::string{R"({"signal_count":{"gte":2},"finding_count":1})"},
          std::string{R"({"any_of":[{"score":{"lt":0.1}},{"title":{"contains":"sign-in"}}]})"}, std::string{R"({"classification":{"exists":false}})"}}) {
        CHECK(holds(met, incident));
    }
    for (const auto* unmet : {R"({"severity":"low"})", R"({"score":{"gt":0.9}})", R"({"status":"closed"})", R"({"label":"none"})",
                              R"({"none_of":[{"label":"vip"}]})", R"({"entities.ip":{"cidr":"10.0.0.0/8"}})", R"({"classification":"true_positive"})"}) {
        CHECK_FALSE(holds(unmet, incident));
    }
}

TEST_CASE("a condition names the fields that there are where one is wrong") {
    engine::Faults faults;
    const auto condition =
        api::tickets::condition_from_json(api::documents::Place{faults, "/condition"}, {{"severty", "high"}, {"attributes.country", "RO"}, {"source", "x"}});
    CHECK_FALSE(condition.has_value());
    REQUIRE(faults.size() == 3);
    CHECK(faults[0].pointer == "/condition/attributes.country");
    CHECK(faults[1].pointer == "/condition/severty");
    CHECK(faults[1].detail.find("severity") != std::string::npos);
    CHECK(faults[2].pointer == "/condition/source");
}
