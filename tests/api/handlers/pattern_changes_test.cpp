#include "api/catalogue/shipped_patterns.hpp"
#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using api::ports::FailureCode;
using nlohmann::json;

namespace {

constexpr const char* own_path = "/api/v1/patterns/own";
constexpr const char* deployment_path = "/api/v1/patterns/own/deployment";
constexpr const char* shipped_path = "/api/v1/patterns/mfa-fatigue";

json own_pattern() {
    return json::parse(R"({"id": "own", "title": "Own", "within": "24h", "link": {"same": ["account"]},
        "stages": [{"id": "a", "match": {"name": "x"}}, {"id": "b", "match": {"name": "y"}}]})");
}

struct Posted : tests::FakeApi {
    Posted() { REQUIRE(post("/api/v1/patterns", own_pattern()).status == 201); }
};

}  // namespace

TEST_CASE("a put pattern is the next version, in the mode of the one it replaces") {
    Posted api;
    REQUIRE(api.put("/api/v1/patterns/own/deployment", {{"mode", "off"}}).status == 200);
    auto document = own_pattern();
    document["title"] = "Own, again";
    const auto reply = api.put(own_path, document);
    REQUIRE(reply.status == 200);
    CHECK(reply.body["version"] == 2);
    CHECK(reply.body["mode"] == "off");
    CHECK(reply.body["revision"] == 3);
    CHECK(reply.headers.at("ETag") == "\"3\"");
    CHECK(reply.body["document"]["title"] == "Own, again");
    CHECK_FALSE(api.patterns.asked_revision.has_value());

    document["mode"] = "production";  // said, so it wins
    document["effective_from"] = "2026-03-01T00:00:00Z";
    CHECK(api.put(own_path, document).body["mode"] == "production");
    CHECK(api.patterns.effective_from == tests::at("2026-03-01T00:00:00Z"));
    CHECK(api.get(own_path).body["version"] == 3);
}

TEST_CASE("putting what is in force already changes nothing, in either syntax") {
    Posted api;
    CHECK(api.put(own_path, own_pattern()).body["revision"] == 1);
    const auto yaml = api.get_yaml(own_path);
    REQUIRE(yaml.status == 200);
    CHECK(api.send(api::http::Method::put, own_path, yaml.text, "application/yaml").body["revision"] == 1);
    CHECK(api.patterns.former.size() == 1);
    CHECK(api.put("/api/v1/patterns/own/deployment", {{"mode", "production"}}).body["revision"] == 1);
}

TEST_CASE("a pattern is read as YAML where that is preferred, with nothing but the document") {
    Posted api;
    const auto yaml = api.get_yaml(own_path);
    CHECK(yaml.text ==
          "id: own\ntitle: Own\nseverity: medium\norder: sequence\nwithin: 24h\nlink: {same: [account]}\nstages:\n  - {id: a, match: {name: x}}\n  - {id: b, "
          "match: {name: "
          "\"y\"}}\n");
    CHECK(yaml.headers.at("ETag") == "\"1\"");
    CHECK(yaml.headers.at("Vary") == "Accept");
    CHECK(yaml.body == api.get(own_path).body["document"]);
    CHECK(api.get_yaml("/api/v1/patterns/own/versions/1").text == yaml.text);
    CHECK(api.get_yaml(shipped_path).body == api.get(shipped_path).body["document"]);
    CHECK(api.get_yaml("/api/v1/patterns/none").status == 404);
}

TEST_CASE("versions are listed newest first and read one by one") {
    Posted api;
    auto document = own_pattern();
    for (const auto* title : {"Second", "Third"}) {
        document["title"] = title;
        REQUIRE(api.put(own_path, document).status == 200);
    }
    const auto first = api.get("/api/v1/patterns/own/versions?limit=2");
    REQUIRE(first.status == 200);
    REQUIRE(first.body["items"].size() == 2);
    CHECK(first.body["items"][0]["version"] == 3);
    CHECK_FALSE(first.body["items"][0].contains("document"));
    const auto rest = api.get("/api/v1/patterns/own/versions?limit=2&cursor=" + first.body["next_cursor"].get<std::string>());
    CHECK(rest.body["items"].size() == 1);
    CHECK(rest.body["next_cursor"].is_null());
    CHECK(api.get("/api/v1/patterns/own/versions/2").body["document"]["title"] == "Second");
    for (const auto* none : {"0", "4", "-1", "2x", "99999999999"}) CHECK(api.get("/api/v1/patterns/own/versions/" + std::string{none}).status == 404);
    CHECK(api.get("/api/v1/patterns/none/versions").status == 404);
    const auto shipped = api.get(std::string{shipped_path} + "/versions");
    CHECK(shipped.body["items"].size() == 1);
    CHECK(api.get(std::string{shipped_path} + "/versions/1").body["document"]["id"] == "mfa-fatigue");
    CHECK(api.get(std::string{shipped_path} + "/versions/2").status == 404);
}

TEST_CASE("what ships is switched off and on by its deployment alone") {
    tests::FakeApi api;
    CHECK(api.get(shipped_path).body["revision"] == 1);
    const auto off = api.put(std::string{shipped_path} + "/deployment", {{"mode", "off"}});
    REQUIRE(off.status == 200);
    CHECK(off.body["mode"] == "off");
    CHECK(off.body["revision"] == 2);
    CHECK(off.body["shipped"] == true);
    CHECK(off.body["changed_by"] == "k0");
    CHECK(off.body["document"]["id"] == "mfa-fatigue");
    CHECK(api.patterns.stored.at("mfa-fatigue").document_json.empty());
    CHECK(api.get(shipped_path).body == off.body);
    const auto listed = api.get("/api/v1/patterns?limit=500");
    CHECK(listed.body["items"].size() > 1);
    for (const auto& item : listed.body["items"]) CHECK((item["mode"] == "off") == (item["id"] == "mfa-fatigue"));
    CHECK(api.put(std::string{shipped_path} + "/deployment", {{"mode", "production"}, {"effective_from", "2026-03-01T00:00:00Z"}}).body["revision"] == 3);
    CHECK(api.patterns.effective_from == tests::at("2026-03-01T00:00:00Z"));
}

TEST_CASE("a pattern that the tenant had before one of its id shipped stays the tenant's: read, listed, changed, and not deleted") {
    tests::FakeApi api;
    auto document = own_pattern();
    document["id"] = "mfa-fatigue";
    CHECK(api.post("/api/v1/patterns", document).status == 409);  // by now it ships
    document["severity"] = "medium";
    document["order"] = "sequence";
    api::ports::PatternVersion own;
    own.id = "mfa-fatigue";
    own.document_json = document.dump();
    own.production = 1;
    own.created_by = "k0";
    api.patterns.stored.emplace(own.id, own);

    const auto read = api.get(shipped_path);
    REQUIRE(read.status == 200);
    CHECK(read.body["shipped"] == false);
    CHECK(read.body["document"]["title"] == document["title"]);
    std::size_t listed = 0;
    const auto all = api.get("/api/v1/patterns?limit=500");
    for (const auto& item : all.body["items"]) {
        if (item["id"] != "mfa-fatigue") continue;
        ++listed;
        CHECK(item["shipped"] == false);
    }
    CHECK(listed == 1);
    document["title"] = "Own, the second";
    const auto changed = api.put(shipped_path, document);
    REQUIRE(changed.status == 200);
    CHECK(changed.body["version"] == 2);
    CHECK(api.get(std::string{shipped_path} + "/versions/2").body["document"]["title"] == "Own, the second");
    const auto refused = api.remove(shipped_path);
    CHECK(refused.status == 409);
    CHECK(refused.body["detail"].get<std::string>().find("/api/v1/patterns/mfa-fatigue/deployment") != std::string::npos);
    CHECK(api.put(std::string{shipped_path} + "/deployment", {{"mode", "off"}}).body["mode"] == "off");
}

TEST_CASE("a version is put on trial beside the one in production, then takes its place, and gives it back") {
    Posted api;
    auto document = own_pattern();
    document["title"] = "Own, tried";
    document["mode"] = "flighting";
    auto reply = api.put(own_path, document);
    REQUIRE(reply.status == 200);
    const auto runs = [&](const json& production, const json& flighting) {
        const auto now = api.get(own_path).body;
        CHECK(now["version"] == 2);
        CHECK(now["production_version"] == production);
        CHECK(now["flighting_version"] == flighting);
        return now["mode"].get<std::string>();
    };
    CHECK(runs(1, 2) == "flighting");
    CHECK(api.put(deployment_path, {{"mode", "flighting"}}).body["revision"] == 2);  // is so already
    CHECK(api.get("/api/v1/patterns?limit=500").body.dump().find(R"("production_version":1)") != std::string::npos);

    CHECK(api.put(deployment_path, {{"mode", "production"}}).status == 200);
    CHECK(runs(2, nullptr) == "production");
    CHECK(api.put(deployment_path, {{"mode", "production"}, {"version", 1}, {"effective_from", "2026-03-01T00:00:00Z"}}).status == 200);
    CHECK(runs(1, nullptr) == "off");
    CHECK(api.patterns.effective_from == tests::at("2026-03-01T00:00:00Z"));

    CHECK(api.put(deployment_path, {{"mode", "flighting"}}).status == 200);
    CHECK(runs(1, 2) == "flighting");
    const auto refused = api.put(deployment_path, {{"mode", "off"}, {"version", 1}});
    CHECK(refused.status == 422);
    CHECK(refused.pointers() == std::vector<std::string>{"/version"});
    CHECK(api.put(deployment_path, {{"mode", "off"}, {"version", 2}}).status == 200);  // ends the trial alone
    CHECK(runs(1, nullptr) == "off");
    CHECK(api.put(deployment_path, {{"mode", "off"}}).status == 200);
    CHECK(runs(nullptr, nullptr) == "off");
    CHECK(api.put(deployment_path, {{"mode", "off"}, {"version", 1}}).body["revision"] == api.get(own_path).body["revision"]);
}

TEST_CASE("a version put without a mode replaces what runs") {
    Posted api;
    auto document = own_pattern();
    document["mode"] = "flighting";
    document["title"] = "Second";
    REQUIRE(api.put(own_path, document).status == 200);
    document.erase("mode");
    document["title"] = "Third";
    auto now = api.put(own_path, document).body;  // the newest is on trial, so this one is
    CHECK(now["production_version"] == 1);
    CHECK(now["flighting_version"] == 3);
    CHECK(api.put(deployment_path, {{"mode", "production"}, {"version", 1}}).body["flighting_version"] == 3);  // is so already
    REQUIRE(api.put(deployment_path, {{"mode", "production"}}).status == 200);
    REQUIRE(api.put(deployment_path, {{"mode", "production"}, {"version", 1}}).status == 200);
    document["title"] = "Fourth";
    now = api.put(own_path, document).body;  // the newest is off, and another in production
    CHECK(now["production_version"] == 4);
    CHECK(now["mode"] == "production");
}

TEST_CASE("what ships is on trial only when it is not in production") {
    tests::FakeApi api;
    const auto path = std::string{shipped_path} + "/deployment";
    REQUIRE(api.put(path, {{"mode", "off"}}).status == 200);
    const auto tried = api.put(path, {{"mode", "flighting"}});
    CHECK(tried.body["flighting_version"] == 1);
    CHECK(tried.body["production_version"].is_null());
    CHECK(api.put(path, {{"mode", "production"}}).body["production_version"] == 1);
}

TEST_CASE("a retired pattern is gone, its versions are not; what ships cannot be retired") {
    Posted api;
    CHECK(api.remove(own_path).status == 204);
    CHECK(api.get(own_path).status == 404);
    CHECK(api.remove(own_path).status == 404);
    CHECK(api.get("/api/v1/patterns/own/versions/1").status == 200);
    const auto refused = api.remove(shipped_path);
    CHECK(refused.status == 409);
    CHECK(refused.body["detail"].get<std::string>().find("PUT {\"mode\": \"off\"} to /api/v1/patterns/mfa-fatigue/deployment") != std::string::npos);
    auto document = own_pattern();
    document["id"] = "mfa-fatigue";
    CHECK(api.put(shipped_path, document).status == 409);
}

TEST_CASE("a change for an older revision is refused, one for the present says so to the store") {
    Posted api;
    REQUIRE(api.put("/api/v1/patterns/own/deployment", {{"mode", "off"}}, "\"1\"").status == 200);
    CHECK(api.patterns.asked_revision == 1);
    auto document = own_pattern();
    document["title"] = "Late";
    CHECK(api.put(own_path, document, "\"1\"").status == 412);
    CHECK(api.put("/api/v1/patterns/own/deployment", {{"mode", "production"}}, "\"1\"").status == 412);
    CHECK(api.remove(own_path, "\"1\"").status == 412);
    CHECK(api.patterns.former.size() == 1);
    CHECK(api.put(own_path, document, "\"2\"").status == 200);
    CHECK(api.patterns.asked_revision == 2);
    CHECK(api.remove(own_path, "*").status == 204);
    CHECK_FALSE(api.patterns.asked_revision.has_value());
}

TEST_CASE("what a change of a pattern refuses, where and with which code") {
    struct Case {
        const char* name;
        const char* path;
        const char* body;
        const char* type;
        int status;
        const char* pointer;
        const char* code;
    };
    const std::string pattern = own_pattern().dump();
    const std::string renamed = R"({"id": "other", "title": "T", "within": "1h", "stages": [{"id": "a", "match": {"name": "x"}}]})";
    constexpr const char* json_type = "application/json";
    const Case cases[] = {
        {"no mode", deployment_path, "{}", json_type, 422, "/mode", "missing"},
        {"another member", deployment_path, R"({"mode": "off", "until": 1})", json_type, 422, "/until", "unknown_field"},
        {"a version that there is not yet", deployment_path, R"({"mode": "off", "version": 2})", json_type, 422, "/version", "out_of_range"},
        {"no such mode", deployment_path, R"({"mode": "prod"})", json_type, 422, "/mode", "out_of_range"},
        {"a mode that is no word", deployment_path, R"({"mode": 1})", json_type, 422, "/mode", "wrong_type"},
        {"on trial instead of in production", deployment_path, R"({"mode": "flighting"})", json_type, 422, "/mode", "conflict"},
        {"what ships likewise", "/api/v1/patterns/mfa-fatigue/deployment", R"({"mode": "flighting"})", json_type, 422, "/mode", "conflict"},
        {"a time that is none", deployment_path, R"({"mode": "off", "effective_from": "yesterday"})", json_type, 422, "/effective_from", "malformed"},
        {"off from a time on", deployment_path, R"({"mode": "off", "effective_from": "2026-03-01T00:00:00Z"})", json_type, 422, "/effective_from", "conflict"},
        {"on already", deployment_path, R"({"mode": "production", "effective_from": "2026-03-01T00:00:00Z"})", json_type, 422, "/effective_from", "conflict"},
        {"a list", deployment_path, "[]", json_type, 422, "", "wrong_type"},
        {"no JSON", deployment_path, "{", json_type, 400, "", "malformed"},
        {"an alias in YAML", deployment_path, "mode: &m off", "application/yaml", 422, "/mode", "unsupported"},
        {"another type", deployment_path, "mode=off", "text/plain", 415, nullptr, nullptr},
        {"a pattern that is none", "/api/v1/patterns/none/deployment", R"({"mode": "off"})", json_type, 404, nullptr, nullptr},
        {"a parameter", "/api/v1/patterns/own/deployment?force=1", R"({"mode": "off"})", json_type, 400, "/force", "unknown_field"},
        {"the id of another pattern", own_path, renamed.c_str(), json_type, 422, "/id", "conflict"},
        {"a document with a fault", own_path, R"({"id": "own"})", json_type, 422, "/title", "missing"},
        {"a put of what is not there", "/api/v1/patterns/none", pattern.c_str(), json_type, 404, nullptr, nullptr},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        Posted api;
        const auto reply = api.send(api::http::Method::put, c.path, c.body, c.type);
        CHECK(reply.status == c.status);
        CHECK(api.patterns.stored.at("own").revision == 1);
        if (c.pointer == nullptr) continue;
        REQUIRE_FALSE(reply.body["errors"].empty());
        CHECK(reply.body["errors"][0]["pointer"] == c.pointer);
        CHECK(reply.body["errors"][0]["code"] == c.code);
    }
}

TEST_CASE("validation runs the examples and says how each ended") {
    tests::FakeApi api;
    auto document = own_pattern();
    const auto signal = [](const char* id, const char* time, const char* name) {
        return json{{"source", "s"}, {"id", id}, {"time", time}, {"domain", "d"}, {"name", name}, {"entities", {{{"kind", "account"}, {"value", "v"}}}}};
    };
    const json story{signal("1", "2026-03-05T10:00:00Z", "x"), signal("2", "2026-03-05T11:00:00Z", "y")};
    document["examples"] = {{"must_match", {story, json{story[1]}}}, {"must_not_match", {json{{{"id", "1"}}}}}};
    const auto reply = api.post("/api/v1/patterns:validate", document);
    REQUIRE(reply.status == 200);
    const auto& examples = reply.body["examples"];
    REQUIRE(examples.size() == 3);
    CHECK(examples[0]["passed"] == true);
    CHECK(examples[1]["passed"] == false);
    CHECK(examples[1]["detail"].get<std::string>().find("stage \"a\" is missing: no signal satisfies it") == 0);
    CHECK(examples[2]["list"] == "must_not_match");
    CHECK(examples[2]["errors"][0]["pointer"] == "/examples/must_not_match/0/0/source");
    CHECK(api.patterns.stored.empty());
}
