#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using engine::IncidentNumber;
using nlohmann::json;

namespace {

const std::string first_finding = "3b241101-e2bb-5255-8caf-4136c566a962";
const std::string second_finding = "3b241101-e2bb-5255-8caf-4136c566a963";

/// 17 and 18 are open, 19 is closed, 20 is part of 17; 17 has two findings.
struct Story {
    Story() {
        for (const auto number : {17, 18, 19, 20}) api.incidents.records.emplace(number, tests::incident_of_two(number));
        api.incidents.records.at(19).status = engine::IncidentStatus::closed;
        api.incidents.records.at(20).merged_into = IncidentNumber{17};
        auto other = tests::finding_of_two();
        auto id = other.id.value();
        ++id.data[15];
        other.id = engine::FindingId{id};
        api.incidents.found = {tests::finding_of_two(), other};
    }
    tests::FakeApi api;
};

struct Refused {
    std::string name;
    std::string target;
    json body;
    int status;
    std::vector<std::pair<std::string, std::string>> faults;  ///< pointer and code
};

}  // namespace

TEST_CASE("an incident is merged into another one, or takes others in") {
    Story story;
    const auto into = story.api.post("/api/v1/incidents/18/merge", {{"into", 17}, {"reason", "one intruder"}});
    CHECK(into.status == 200);
    CHECK(into.body["number"] == 17);
    CHECK(into.headers.at("ETag") == "\"3\"");
    REQUIRE(story.api.control.merges.size() == 1);
    const auto& first = story.api.control.merges[0];
    CHECK(first.into == IncidentNumber{17});
    CHECK(first.numbers == std::vector{IncidentNumber{18}});
    CHECK(first.reason == "one intruder");
    CHECK(first.actor == "k0");
    CHECK(story.api.get("/api/v1/incidents/18").body["merged_into"] == 17);

    Story another;
    CHECK(another.api.post("/api/v1/incidents/17/merge", {{"numbers", {18, 18}}}).body["number"] == 17);
    CHECK(another.api.control.merges[0].numbers == std::vector{IncidentNumber{18}});
}

TEST_CASE("findings are split off into a new incident") {
    Story story;
    const auto reply = story.api.post("/api/v1/incidents/17/split", {{"findings", {second_finding}}, {"reason", "another matter"}});
    CHECK(reply.status == 201);
    CHECK(reply.body["number"] == 99);
    CHECK(reply.headers.at("Location") == "/api/v1/incidents/99");
    REQUIRE(story.api.control.splits.size() == 1);
    CHECK(story.api.control.splits[0].findings.size() == 1);
    CHECK(story.api.control.splits[0].number == IncidentNumber{17});
}

TEST_CASE("a comment is a line of the history, in the name of the key, and shown with the incident; closed incidents take them as well") {
    Story story;
    const auto reply = story.api.post("/api/v1/incidents/19/comments", {{"text", "seen\nbefore"}});
    CHECK(reply.status == 201);
    CHECK(reply.body == json{{"at", "2026-03-06T08:00:00Z"}, {"actor", "k0"}, {"text", "seen\nbefore"}});
    CHECK(story.api.get("/api/v1/incidents/19").body["comments"] == json::array({reply.body}));
    CHECK(story.api.get("/api/v1/incidents/19/activity?what=commented").body["items"].size() == 1);
    CHECK(story.api.get("/api/v1/incidents/19/activity?what=created").body["items"].empty());
    CHECK(story.api.get("/api/v1/incidents/19/activity?what=said").status == 400);
}

TEST_CASE("merges, splits and comments that cannot be are refused with every fault, and nothing is written") {
    const std::string merge = "/api/v1/incidents/17/merge";
    const std::string split = "/api/v1/incidents/17/split";
    const std::string comments = "/api/v1/incidents/17/comments";
    const Refused cases[] = {
        {"neither into nor numbers", merge, {{"reason", "x"}}, 422, {{"", "missing"}}},
        {"both", merge, {{"into", 18}, {"numbers", {18}}}, 422, {{"", "conflict"}}},
        {"no object", merge, json::array(), 422, {{"", "wrong_type"}}},
        {"unknown member", merge, {{"into", 18}, {"because", "x"}}, 422, {{"/because", "unknown_field"}}},
        {"itself", merge, {{"into", 17}}, 422, {{"/into", "conflict"}}},
        {"an unknown number", merge, {{"into", 99}}, 422, {{"/into", "out_of_range"}}},
        {"a closed one", merge, {{"into", 19}}, 422, {{"/into", "conflict"}}},
        {"a merged one",
         merge,
         {{"numbers", {18, 20, "x", 0}}},
         422,
         {{"/numbers/1", "conflict"}, {"/numbers/2", "wrong_type"}, {"/numbers/3", "out_of_range"}}},
        {"no numbers", merge, {{"numbers", json::array()}}, 422, {{"/numbers", "out_of_range"}}},
        {"too many numbers", merge, {{"numbers", json(std::vector<int>(51, 18))}}, 422, {{"/numbers", "out_of_range"}}},
        {"reason of a wrong type", merge, {{"into", 18}, {"reason", 5}}, 422, {{"/reason", "wrong_type"}}},
        {"a reason too long", merge, {{"into", 18}, {"reason", std::string(4097, 'x')}}, 422, {{"/reason", "out_of_range"}}},
        {"of a closed incident", "/api/v1/incidents/19/merge", {{"into", 17}}, 409, {}},
        {"of a merged incident", "/api/v1/incidents/20/merge", {{"into", 18}}, 409, {}},
        {"of no incident", "/api/v1/incidents/99/merge", {{"into", 17}}, 404, {}},
        {"a parameter", merge + "?force=true", {{"into", 18}}, 400, {{"/force", "unknown_field"}}},

        {"no findings named", split, json::object(), 422, {{"/findings", "missing"}}},
        {"an empty list", split, {{"findings", json::array()}}, 422, {{"/findings", "out_of_range"}}},
        {"all findings", split, {{"findings", {first_finding, second_finding}}}, 422, {{"/findings", "conflict"}}},
        {"another's finding",
         split,
         {{"findings", {first_finding, "3b241101-e2bb-5255-8caf-4136c566a999", 7}}},
         422,
         {{"/findings/1", "out_of_range"}, {"/findings/2", "wrong_type"}}},
        {"unknown member of a split", split, {{"findings", {first_finding}}, {"finding", 1}}, 422, {{"/finding", "unknown_field"}}},
        {"of a closed incident", "/api/v1/incidents/19/split", {{"findings", {first_finding}}}, 409, {}},
        {"of a merged incident", "/api/v1/incidents/20/split", {{"findings", {first_finding}}}, 409, {}},

        {"no text", comments, json::object(), 422, {{"/text", "missing"}}},
        {"blanks", comments, {{"text", " \n\t"}}, 422, {{"/text", "missing"}}},
        {"no string", comments, {{"text", nullptr}}, 422, {{"/text", "wrong_type"}}},
        {"too long", comments, {{"text", std::string(8193, 'x')}}, 422, {{"/text", "out_of_range"}}},
        {"an actor", comments, {{"text", "x"}, {"actor", "somebody"}}, 422, {{"/actor", "unknown_field"}}},
        {"on a merged incident", "/api/v1/incidents/20/comments", {{"text", "x"}}, 409, {}},
    };
    for (const auto& c : cases) {
        CAPTURE(c.target);
        CAPTURE(c.name);
        Story story;
        const auto reply = story.api.post(c.target, c.body);
        CHECK(reply.status == c.status);
        std::vector<std::pair<std::string, std::string>> faults;
        if (reply.body.contains("errors")) {
            for (const auto& error : reply.body["errors"]) faults.emplace_back(error["pointer"].get<std::string>(), error["code"].get<std::string>());
        }
        CHECK(faults == c.faults);
        CHECK(story.api.control.merges.empty());
        CHECK(story.api.control.splits.empty());
        CHECK(story.api.control.comments.empty());
    }
}

TEST_CASE("what the engine refuses is a conflict with its reason, what it has not done yet is recorded") {
    Story story;
    story.api.control.failure = api::ports::Failure{api::ports::FailureCode::conflict, "incident 18 is closed; reopen it first"};
    const auto refused = story.api.post("/api/v1/incidents/17/merge", {{"numbers", {18}}});
    CHECK(refused.status == 409);
    CHECK(refused.body["detail"] == "incident 18 is closed; reopen it first");
    story.api.control.failure = api::ports::Failure{api::ports::FailureCode::recorded, "later"};
    CHECK(story.api.post("/api/v1/incidents/17/merge", {{"numbers", {18}}}).status == 202);
    CHECK(story.api.post("/api/v1/incidents/17/split", {{"findings", {first_finding}}}).status == 202);
    CHECK(story.api.post("/api/v1/incidents/17/comments", {{"text", "x"}}).status == 202);
}

TEST_CASE("a request that took effect and lost its reply is not checked against what it has led to") {
    struct Written final : api::EffectKey {
        std::optional<engine::Position> written() const override { return position; }
        std::optional<engine::Position> position;
    };
    Written key;
    const std::string gone = "3b241101-e2bb-5255-8caf-4136c566a999";
    const auto statuses = [&] {
        Story story;  // 20 is part of 17 by now, 19 is closed, and the finding has gone
        story.api.caller.effect_key = &key;
        const auto merged = story.api.post("/api/v1/incidents/20/merge", {{"into", 17}}).status;
        const auto taken_in = story.api.post("/api/v1/incidents/17/merge", {{"numbers", {20}}}).status;
        const auto split = story.api.post("/api/v1/incidents/19/split", {{"findings", {gone}}});
        if (split.status == 201) CHECK(story.api.control.splits.back().findings.size() == 1);
        const auto said = story.api.post("/api/v1/incidents/20/comments", {{"text", "x"}}).status;
        return std::vector{merged, taken_in, split.status, said};
    };
    CHECK(statuses() == std::vector{409, 422, 422, 409});
    key.position = engine::Position{7};
    CHECK(statuses() == std::vector{200, 200, 201, 201});
}
