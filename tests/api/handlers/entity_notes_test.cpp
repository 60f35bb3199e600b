#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

using namespace catenary;
using nlohmann::json;

namespace {

constexpr const char* alice = "/api/v1/entities/account/Alice%40NE.example";

}  // namespace

TEST_CASE("notes are made on an entity that no signal has mentioned, under its canonical spelling") {
    tests::FakeApi api;
    CHECK(api.get(alice).status == 404);
    const auto made =
        api.put(alice, {{"tags", {"vip", "board"}}, {"criticality", "critical"}, {"facts", {{"devices", {"lt-1"}}, {"floor", 3}}}, {"link", "deny"}});
    REQUIRE(made.status == 200);
    CHECK(made.headers.at("ETag") == "\"1\"");
    CHECK(made.body == json::parse(R"({"kind":"account","value":"alice@ne.example","tags":["board","vip"],"criticality":"critical",
        "facts":{"devices":["lt-1"],"floor":3},"link":"deny","hub":{"because":"denied"},"revision":1,"changed":"2026-03-06T08:00:00Z","changed_by":"k0"})"));
    const auto profile = api.get("/api/v1/entities/account/alice@ne.example", "\"1\"");
    REQUIRE(profile.status == 200);  // signals change it without a revision
    CHECK(profile.headers.at("ETag") == "\"1\"");
    for (const auto& [name, value] : made.body.items()) CHECK(profile.body[name] == value);
    CHECK(profile.body["last_seen"].is_null());
    CHECK(api.get("/api/v1/entities").body["items"] == json::array({made.body}));
}

TEST_CASE("a document replaces all that was held: what it leaves out or says is null is none") {
    tests::FakeApi api;
    REQUIRE(api.put(alice, {{"tags", {"vip"}}, {"criticality", "high"}, {"facts", {{"a", 1}}}, {"link", "allow"}}).status == 200);
    const auto second = api.put(alice, {{"tags", nullptr}, {"link", "allow"}});
    REQUIRE(second.status == 200);
    CHECK(second.body["tags"] == json::array());
    CHECK(second.body["criticality"].is_null());
    CHECK(second.body["facts"] == json::object());
    CHECK(second.body["link"] == "allow");
    CHECK(second.body["hub"].is_null());
    const auto third = api.put(alice, json::object());
    CHECK(third.body["link"].is_null());
    CHECK(third.headers.at("ETag") == "\"3\"");
}

TEST_CASE("notes of an older revision are refused") {
    tests::FakeApi api;
    CHECK(api.put(alice, {{"tags", {"vip"}}}, "\"1\"").status == 412);  // nothing is held so far: revision 0
    CHECK(api.entities.rows.empty());
    CHECK(api.put(alice, {{"tags", {"vip"}}}, "\"0\"").status == 200);
    CHECK(api.put(alice, {{"tags", {"x"}}}, "\"0\"").status == 412);
    CHECK(api.put(alice, {{"tags", {"x"}}}, "\"7\", \"1\"").status == 200);
    CHECK(api.put(alice, {{"tags", {"y"}}}, "*").status == 200);
    api.entities.stale_answers = 1;
    CHECK(api.put(alice, {{"tags", {"z"}}}, "\"3\"").status == 412);
    CHECK(api.entities.rows.front().notes.tags == std::vector<std::string>{"y"});
}

TEST_CASE("a name that identifies nobody takes notes, but no rule for its links") {
    tests::FakeApi api;
    const auto refused = api.put("/api/v1/entities/account/root", {{"link", "allow"}});
    CHECK(refused.status == 422);
    CHECK(refused.pointers() == std::vector<std::string>{"/link"});
    const auto made = api.put("/api/v1/entities/account/root", {{"tags", {"shared"}}, {"link", nullptr}});
    REQUIRE(made.status == 200);
    CHECK(made.body["identifies"] == false);
}

TEST_CASE("bad notes are refused with every fault and change nothing") {
    struct Case {
        std::string name;
        json body;
        std::vector<std::pair<std::string, std::string>> faults;  ///< pointer and code
    };
    json many = json::array();
    for (int i = 0; i < 33; ++i) many.push_back("t" + std::to_string(i));
    const Case cases[] = {
        {"no object", 5, {{"", "wrong_type"}}},
        {"unknown", {{"tag", json::array()}, {"owner", "x"}}, {{"/owner", "unknown_field"}, {"/tag", "unknown_field"}}},
        {"tags", {{"tags", {"a", 5, "", "a"}}}, {{"/tags/1", "wrong_type"}, {"/tags/2", "out_of_range"}, {"/tags/3", "conflict"}}},
        {"many tags", {{"tags", many}}, {{"/tags", "out_of_range"}}},
        {"a long tag", {{"tags", {std::string(65, 'a')}}}, {{"/tags/0", "out_of_range"}}},
        {"words", {{"criticality", "huge"}, {"link", "maybe"}}, {{"/criticality", "out_of_range"}, {"/link", "out_of_range"}}},
        {"a usual link", {{"link", "usual"}}, {{"/link", "out_of_range"}}},
        {"facts", {{"facts", {1, 2}}}, {{"/facts", "wrong_type"}}},
        {"many facts", {{"facts", {{"a", std::string(4089, 'a')}}}}, {{"/facts", "too_large"}}},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        tests::FakeApi api;
        const auto reply = api.put(alice, c.body);
        CHECK(reply.status == 422);
        std::vector<std::pair<std::string, std::string>> faults;
        for (const auto& error : reply.body["errors"]) faults.emplace_back(error["pointer"].get<std::string>(), error["code"].get<std::string>());
        CHECK(faults == c.faults);
        CHECK(api.entities.rows.empty());
    }
    tests::FakeApi api;
    CHECK(api.put(alice, {{"facts", {{"a", std::string(4088, 'a')}}}}).status == 200);  // {"a":"…"} is 4,096 bytes
    CHECK(api.put(alice, {{"tags", json::array()}}, "").status == 200);
}

TEST_CASE("an entity that no signal can name has no notes") {
    tests::FakeApi api;
    const std::map<std::string, std::string> bad{
        {"/api/v1/entities/Account/alice", "/kind"},
        {"/api/v1/entities/" + std::string(65, 'k') + "/alice", "/kind"},
        {"/api/v1/entities/account/%20", "/value"},
        {"/api/v1/entities/account/" + std::string(513, 'v'), "/value"},
    };
    for (const auto& [path, pointer] : bad) {
        CAPTURE(path);
        const auto reply = api.put(path, {{"tags", {"vip"}}});
        CHECK(reply.status == 400);
        CHECK(reply.pointers() == std::vector<std::string>{pointer});
    }
    CHECK(api.put(std::string{alice} + "?force=true", json::object()).pointers() == std::vector<std::string>{"/force"});
    CHECK(api.entities.rows.empty());
}

TEST_CASE("entities are listed by tag and criticality") {
    tests::FakeApi api;
    REQUIRE(api.get("/api/v1/entities?tag=vip&tag=board&criticality=high&criticality=critical").status == 200);
    CHECK(api.entities.asked.tags == std::vector<std::string>{"vip", "board"});
    CHECK(api.entities.asked.criticalities == std::vector<api::entities::Criticality>{api::entities::Criticality::high, api::entities::Criticality::critical});
    CHECK(api.get("/api/v1/entities?criticality=huge").pointers() == std::vector<std::string>{"/criticality"});
    std::string many = "/api/v1/entities?tag=t";
    for (int i = 0; i < 20; ++i) many += "&tag=t" + std::to_string(i);
    CHECK(api.get(many).pointers() == std::vector<std::string>{"/tag"});
}

TEST_CASE("diagnostics lists denied entities and counts signals that came behind the horizon and re-matches") {
    tests::FakeApi api;
    CHECK(api.get("/api/v1/diagnostics").body["rematch"] == json::parse(R"({"signals":0,"oldest":null,"made":0,"read":0,"waiting":0,"oldest_waiting":null})"));
    api.diagnostics.answer.behind_horizon = 7;
    api.diagnostics.answer.oldest_behind_horizon = tests::at("2026-01-02T03:04:05Z");
    api.diagnostics.answer.rematches = {5, 60, 2, tests::at("2026-01-03T03:04:05Z")};
    api.diagnostics.answer.denied = {{{"account", "scanner"}, tests::at("2026-03-06T08:00:00Z")}};
    const auto reply = api.get("/api/v1/diagnostics");
    CHECK(reply.body["rematch"] ==
          json::parse(R"({"signals":7,"oldest":"2026-01-02T03:04:05Z","made":5,"read":60,"waiting":2,"oldest_waiting":"2026-01-03T03:04:05Z"})"));
    CHECK(reply.body["hubs"] == json::parse(R"([{"kind":"account","value":"scanner","because":"denied","changed":"2026-03-06T08:00:00Z"}])"));
}

TEST_CASE("a signal that came too late to be matched says so, and only such a one") {
    tests::FakeApi api;
    api.signals.rows = {tests::stored_sign_in(), tests::stored_sign_in()};
    api.signals.rows[0].signal.id = "old";
    api.signals.rows[0].late = api.signals.rows[0].behind_horizon = true;
    const auto list = api.get("/api/v1/signals");
    CHECK(list.body["items"][0]["awaiting_rematch"] == true);
    CHECK_FALSE(list.body["items"][1].contains("awaiting_rematch"));
    CHECK(api.get("/api/v1/signals/" + api.signals.rows[0].signal.source + "/old").body["awaiting_rematch"] == true);
}
