#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using nlohmann::json;

namespace {

struct Story {
    Story() {
        api.incidents.records.emplace(17, tests::incident_of_two(17));
        api.incidents.found = {tests::finding_of_two()};
    }
    tests::FakeApi api;
    tests::Reply patch(const json& body, std::string_view if_match = "") { return api.patch("/api/v1/incidents/17", body, if_match); }
};

}  // namespace

TEST_CASE("closing with a classification changes the incident in the name of the key") {
    Story story;
    const auto reply =
        story.patch({{"status", "closed"}, {"classification", "true_positive"}, {"classification_reason", "confirmed"}, {"owner", "mika"}}, "\"3\"");
    REQUIRE(reply.status == 200);
    CHECK(reply.body["status"] == "closed");
    CHECK(reply.body["classification"] == "true_positive");
    CHECK(reply.body["classification_reason"] == "confirmed");
    CHECK(reply.body["owner"] == "mika");
    CHECK(reply.headers.at("ETag") == "\"4\"");
    REQUIRE(story.api.control.edits.size() == 1);
    CHECK(story.api.control.edits[0].actor == "k0");
    CHECK(story.api.control.edits[0].number == engine::IncidentNumber{17});
    CHECK_FALSE(story.api.control.edits[0].title.has_value());
    CHECK(story.api.control.revision == 3);
}

TEST_CASE("members left out stay, null frees the owner") {
    Story story;
    story.api.incidents.records.at(17).owner = "mika";
    CHECK(story.patch({{"title", "Another title"}, {"severity", "low"}}).body["owner"] == "mika");
    CHECK(story.patch({{"owner", nullptr}}).body["owner"].is_null());
    CHECK_FALSE(story.api.control.revision.has_value());
}

TEST_CASE("an edit of an older revision is refused before anything is written") {
    Story story;
    CHECK(story.patch({{"owner", "mika"}}, "\"2\"").status == 412);
    CHECK(story.patch({{"owner", "mika"}}, "W/\"3\"").status == 412);
    CHECK(story.api.control.edits.empty());
    CHECK(story.patch({{"owner", "mika"}}, "*").status == 200);
    CHECK(story.patch({{"owner", "mika"}}, "\"9\", \"4\"").status == 200);
    story.api.control.failure = api::ports::Failure{api::ports::FailureCode::stale, "changed meanwhile"};
    CHECK(story.patch({{"owner", "mika"}}, "\"5\"").status == 412);
}

TEST_CASE("a bad edit is refused with every fault and changes nothing") {
    struct Case {
        std::string name;
        json body;
        std::vector<std::string> pointers;
    };
    const Case cases[] = {
        {"nothing to change", json::object(), {""}},
        {"no object", json::array({1}), {""}},
        {"unknown member", {{"assignee", "mika"}}, {"/assignee"}},
        {"closing without a classification", {{"status", "closed"}}, {"/classification"}},
        {"a classification while it is open", {{"classification", "false_positive"}}, {"/classification"}},
        {"a classification with reopening", {{"status", "active"}, {"classification", "false_positive"}}, {"/classification"}},
        {"a reason of no classification", {{"reason", "because"}}, {"/reason"}},
        {"two reasons", {{"status", "closed"}, {"classification", "undetermined"}, {"reason", "a"}, {"classification_reason", "b"}}, {"/reason"}},
        {"words that are none", {{"status", "done"}, {"severity", "critical"}}, {"/status", "/severity"}},
        {"types", {{"status", 1}, {"title", nullptr}, {"owner", 5}}, {"/status", "/title", "/owner"}},
        {"empty title", {{"title", ""}}, {"/title"}},
        {"owner of two lines", {{"owner", "a\nb"}}, {"/owner"}},
        {"labels that are no list", {{"labels", "vip"}}, {"/labels"}},
        {"a label twice, an empty one, a number", {{"labels", {"vip", "vip", "", 3}}}, {"/labels/1", "/labels/2", "/labels/3"}},
        {"too many labels", {{"labels", json(std::vector<std::string>(51, "x"))}}, {"/labels"}},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        Story story;
        const auto reply = story.patch(c.body);
        CHECK(reply.status == 422);
        CHECK(reply.pointers() == c.pointers);
        CHECK(story.api.control.edits.empty());
    }
}

TEST_CASE("an incident that is classified already closes and takes a reason without saying it again") {
    Story story;
    story.api.incidents.records.at(17).classification = engine::Classification::undetermined;
    CHECK(story.patch({{"status", "closed"}}).status == 200);
    CHECK(story.patch({{"reason", "seen again"}}).body["classification_reason"] == "seen again");
}

TEST_CASE("an edit needs a JSON body of bounded size") {
    Story story;
    const auto send = [&story](std::string_view body, std::string_view type) {
        return story.api.send(api::http::Method::patch, "/api/v1/incidents/17", body, type);
    };
    CHECK(send("owner: mika", "application/yaml").status == 415);
    CHECK(send("owner=mika", "application/x-www-form-urlencoded").status == 415);
    CHECK(send("{\"owner\":", "application/json").status == 400);
    CHECK(send("", "application/json").status == 400);
    CHECK(send(R"({"owner":"a","owner":"b"})", "application/json").status == 422);
    CHECK(send(std::string(300'000, ' '), "application/json").status == 413);
    CHECK(story.api.patch("/api/v1/incidents/18", {{"owner", "mika"}}).status == 404);
}

TEST_CASE("labels are set as a whole, sorted") {
    Story story;
    CHECK(story.patch({{"labels", {"vip", "drill"}}}).body["labels"] == json{"drill", "vip"});
    CHECK(story.patch({{"labels", json::array()}}).body["labels"] == json::array());
    CHECK(story.api.control.edits.back().labels == std::vector<std::string>{});
}

TEST_CASE("an edit that is recorded and not yet in force says so and asks for no repeat") {
    Story story;
    story.api.control.failure = api::ports::Failure{api::ports::FailureCode::recorded, "written at position 7"};
    const auto reply = story.patch({{"owner", "mika"}});
    CHECK(reply.status == 202);
    CHECK(reply.body == json{{"status", "recorded"}, {"detail", "written at position 7"}});
}

TEST_CASE("an edit whose outcome is unknown gets no reply") {
    Story story;
    story.api.control.failure = api::ports::Failure{api::ports::FailureCode::outcome_unknown, "connection lost"};
    CHECK(story.patch({{"owner", "mika"}}).status == 0);
}
