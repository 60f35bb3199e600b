#include "api/catalogue/shipped_patterns.hpp"
#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace catenary;
using nlohmann::json;

namespace {

json own_pattern() {
    return json::parse(R"({"id": "own", "title": "Own", "within": "24h", "link": {"same": ["account"]},
        "stages": [{"id": "a", "match": {"name": ["x"]}}, {"id": "b", "match": {"name": "y"}}]})");
}

}  // namespace

TEST_CASE("a posted pattern is stored in its normal form as version 1") {
    tests::FakeApi api;
    auto document = own_pattern();
    document["id"] = "own/one:two";
    document["mode"] = "flighting";
    document["effective_from"] = "2026-03-01T00:00:00Z";
    const auto reply = api.post("/api/v1/patterns", document);
    REQUIRE(reply.status == 201);
    CHECK(reply.headers.at("Location") == "/api/v1/patterns/own%2Fone%3Atwo");
    CHECK(reply.headers.at("ETag") == "\"1\"");
    CHECK(reply.body["version"] == 1);
    CHECK(reply.body["mode"] == "flighting");
    CHECK(reply.body["created_by"] == "k0");
    CHECK(reply.body["document"]["stages"][0]["match"]["name"] == "x");
    CHECK_FALSE(reply.body["document"].contains("mode"));
    CHECK(api.patterns.effective_from == tests::at("2026-03-01T00:00:00Z"));
    CHECK(json::parse(api.patterns.stored.at("own/one:two").document_json) == reply.body["document"]);

    const auto read = api.get("/api/v1/patterns/own%2Fone%3Atwo");
    CHECK(read.status == 200);
    CHECK(read.body == reply.body);
    CHECK(api.get("/api/v1/patterns/own%2Fone%3Atwo", "\"1\"").status == 304);
    CHECK(api.post("/api/v1/patterns", document).status == 409);
}

TEST_CASE("a pattern may be posted as YAML") {
    tests::FakeApi api;
    const auto reply = api.post("/api/v1/patterns", "id: y\ntitle: Y\nwithin: 1h\nstages:\n  - {id: a, match: {name: x}}\n", "application/yaml");
    CHECK(reply.status == 201);
    CHECK(api.post("/api/v1/patterns", "id: [", "application/yaml").status == 400);
    CHECK(api.post("/api/v1/patterns", "id: &a x", "application/yaml").status == 422);
    CHECK(api.post("/api/v1/patterns", "id", "text/plain").status == 415);
}

TEST_CASE("the id of a pattern that ships is taken") {
    tests::FakeApi api;
    auto document = own_pattern();
    document["id"] = "password-guessing-then-sign-in";
    CHECK(api.post("/api/v1/patterns", document).status == 409);
    CHECK(api.patterns.stored.empty());
}

TEST_CASE("a bad pattern is refused with every fault, and the same by validation") {
    tests::FakeApi api;
    auto document = own_pattern();
    document["titel"] = "x";
    document["absent"] = {{{"match", {{"name", "z"}}}}};
    document["stages"][1]["match"]["nmae"] = "y";
    for (const auto* path : {"/api/v1/patterns", "/api/v1/patterns:validate"}) {
        const auto reply = api.post(path, document);
        CHECK(reply.status == 422);
        const auto pointers = reply.pointers();
        CHECK(std::set<std::string>(pointers.begin(), pointers.end()) == std::set<std::string>{"/titel", "/absent/0", "/stages/1/match/nmae"});
    }
    CHECK(api.patterns.stored.empty());
}

TEST_CASE("validation shows the normal form and stores nothing") {
    tests::FakeApi api;
    const auto reply = api.post("/api/v1/patterns:validate", own_pattern());
    REQUIRE(reply.status == 200);
    CHECK(reply.body["valid"] == true);
    CHECK(reply.body["document"]["severity"] == "medium");
    CHECK(api.patterns.stored.empty());
}

TEST_CASE("shipped and own patterns are one list by id, paged") {
    tests::FakeApi api;
    api.post("/api/v1/patterns", own_pattern());
    std::vector<std::string> ids;
    std::string cursor;
    for (int page = 0; page < 100 && (page == 0 || !cursor.empty()); ++page) {
        const auto reply = api.get("/api/v1/patterns?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
        REQUIRE(reply.status == 200);
        for (const auto& item : reply.body["items"]) {
            ids.push_back(item["id"].get<std::string>());
            CHECK_FALSE(item.contains("document"));
            CHECK(item["shipped"] == (item["id"] != "own"));
        }
        cursor = reply.body["next_cursor"].is_null() ? "" : reply.body["next_cursor"].get<std::string>();
    }
    CHECK(ids.size() == api::catalogue::shipped_patterns().size() + 1);
    CHECK(std::is_sorted(ids.begin(), ids.end()));
    CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == ids.size());
}

TEST_CASE("a shipped pattern is read with a document that could be posted under another id") {
    tests::FakeApi api;
    const auto reply = api.get("/api/v1/patterns/office-document-to-ransomware");
    REQUIRE(reply.status == 200);
    CHECK(reply.body["shipped"] == true);
    auto document = reply.body["document"];
    document["id"] = "my-copy";
    CHECK(api.post("/api/v1/patterns", document).status == 201);
    CHECK(api.get("/api/v1/patterns/none").status == 404);
}
