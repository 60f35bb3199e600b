#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

using catenary::server::ApiClient;
using catenary::server::ApiReply;
using catenary::tests::catenary_program;
using catenary::tests::ChildProcess;
using catenary::tests::ServerProcess;
using catenary::tests::TemporaryFolder;
using catenary::tests::wait_until_correlated;
using Json = nlohmann::json;
using namespace std::chrono_literals;

namespace {

constexpr const char* document = R"(id: key-then-deletion
title: Keys listed, then deletion
within: 24h
link: {same: [account]}
stages:
  - {id: keys, match: {name: test_keys}}
  - {id: deletion, match: {name: test_deletion}}
examples:
  must_match:
    - - {source: c, id: "1", time: "2026-03-05T10:00:00Z", domain: cloud_infra, name: test_keys, entities: [{kind: account, value: x}]}
      - {source: c, id: "2", time: "2026-03-05T11:00:00Z", domain: cloud_infra, name: test_deletion, entities: [{kind: account, value: x}]}
)";
constexpr const char* path = "/api/v1/patterns/key-then-deletion";

ApiReply put(ApiClient& client, const std::string& to, const std::string& body, const std::string& type, const std::string& if_match = "") {
    std::vector<std::string> headers;
    if (!if_match.empty()) headers.push_back("If-Match: " + if_match);
    return client.send({.method = "PUT", .path = to, .body = body, .content_type = type, .headers = headers});
}

Json read(const ApiReply& reply, int status = 200) {
    CAPTURE(reply.body);
    REQUIRE(reply.status == status);
    return Json::parse(reply.body);
}

Json signal(const std::string& account, const std::string& time, const std::string& name, int count = 1) {
    return {{"id", account + time},
            {"source", "cloud"},
            {"time", "2026-03-05T" + time + "Z"},
            {"domain", "cloud_infra"},
            {"name", name},
            {"confidence", 0.3},
            {"count", count},
            {"entities", {{{"kind", "account"}, {"value", account}}}}};
}

/// Posts two signals and says how many findings there are afterwards.
std::size_t findings_after(ApiClient& client, const Json& first, const Json& second) {
    read(client.post("/api/v1/signals", Json{first, second}.dump()));
    wait_until_correlated(client);
    return read(client.get("/api/v1/findings"))["items"].size();
}
std::size_t findings_after(ApiClient& client, const std::string& account, const std::string& keys, const std::string& deletion) {
    return findings_after(client, signal(account, keys, "test_keys"), signal(account, deletion, "test_deletion"));
}

}  // namespace

TEST_CASE("a pattern is checked, tested, posted, changed, switched off and retired while it runs") {
    ServerProcess server;
    server.start();
    auto client = server.tenant("catalogue");

    // checked and tested
    std::string wrong = document;
    wrong.replace(wrong.find("match: {name: test_keys}"), 6, "mathc:");
    const auto refused = read(client.post("/api/v1/patterns:validate", wrong, "application/yaml"), 422);
    CHECK(refused["errors"].size() == 2);
    CHECK(read(client.post("/api/v1/patterns:validate", document, "application/yaml"))["examples"][0]["passed"] == true);
    CHECK(client.get(path).status == 404);

    // posted
    const auto posted = client.post("/api/v1/patterns", document, "application/yaml");
    CHECK(read(posted, 201)["revision"] == 1);
    CHECK(findings_after(client, "alice", "10:00:00", "11:00:00") == 1);

    // changed: read as YAML, edited, put back for the revision that was read
    const auto yaml = client.send({.method = "GET", .path = path, .body = {}, .content_type = {}, .headers = {"Accept: application/yaml"}});
    CHECK(yaml.content_type == "application/yaml");
    std::string edited = yaml.body;
    edited.replace(edited.find("within: 24h"), 11, "within: 30m\neffective_from: \"2026-03-05T12:00:00Z\"");
    const auto second = read(put(client, path, edited, "application/yaml", yaml.etag));
    CHECK(second["version"] == 2);
    CHECK(put(client, path, edited, "application/yaml", yaml.etag).status == 412);
    CHECK(findings_after(client, "bob", "12:30:00", "13:30:00") == 1);  // too slow for the second version
    CHECK(findings_after(client, "carol", "14:00:00", "14:20:00") == 2);
    const auto findings = read(client.get("/api/v1/findings"))["items"];
    CHECK(findings[0]["version"].get<int>() + findings[1]["version"].get<int>() == 3);  // the first keeps what it found before

    // switched off
    CHECK(read(put(client, std::string{path} + "/deployment", R"({"mode":"flighting"})", "application/json"), 422)["errors"][0]["pointer"] == "/mode");
    CHECK(read(put(client, std::string{path} + "/deployment", R"({"mode":"off"})", "application/json"))["mode"] == "off");
    CHECK(findings_after(client, "dora", "15:00:00", "15:05:00") == 2);
    // and on again: what was missed is found
    CHECK(read(put(client, std::string{path} + "/deployment", R"({"mode":"production"})", "application/json"))["revision"] == 4);
    CHECK(findings_after(client, "erik", "15:10:00", "15:15:00") == 4);

    // retired
    CHECK(client.send({.method = "DELETE", .path = path, .body = {}, .content_type = {}, .headers = {}}).status == 204);
    CHECK(client.get(path).status == 404);
    CHECK(findings_after(client, "finn", "16:00:00", "16:05:00") == 4);
    CHECK(read(client.get(std::string{path} + "/versions"))["items"].size() == 2);
    const auto incident = read(client.get("/api/v1/incidents"))["items"][0]["number"].get<int>();
    CHECK_FALSE(read(client.get(fmt::format("/api/v1/incidents/{}/explanation", incident)))["would_not_fire_if"].empty());

    // what ships: off in one tenant, on in the other, also after a restart
    auto other = server.tenant("other");
    const std::string shipped = "/api/v1/patterns/mfa-fatigue";
    CHECK(read(put(client, shipped + "/deployment", R"({"mode":"off"})", "application/json"))["shipped"] == true);
    CHECK(client.send({.method = "DELETE", .path = shipped, .body = {}, .content_type = {}, .headers = {}}).status == 409);
    server.crash();
    server.start();
    const auto refusals = signal("gina", "17:00:00", "mfa_denied", 6);
    const auto approval = signal("gina", "17:10:00", "mfa_approved");
    CHECK(findings_after(client, refusals, approval) == 4);
    CHECK(findings_after(other, refusals, approval) == 1);

    // and what ships finds foreign records: ten accounts that fail to sign in from one address
    std::string records;
    for (int i = 0; i < 10; ++i) {
        records += Json{{"class_uid", 3002},
                        {"activity_id", 1},
                        {"status_id", 2},
                        {"time", 1'772'704'800'000 + i * 1000},
                        {"metadata", {{"uid", i}, {"product", {{"name", "idp"}}}}},
                        {"user", {{"name", fmt::format("user{}@ne.example", i)}}},
                        {"src_endpoint", {{"ip", "203.0.113.40"}}}}
                       .dump() +
                   "\n";
    }
    CHECK(read(other.post("/api/v1/ingest/ocsf?dry_run=true", records, "application/x-ndjson"))["items"].size() == 10);
    CHECK(read(other.get("/api/v1/signals?source=idp"))["items"].empty());
    CHECK(read(other.post("/api/v1/ingest/ocsf", records, "application/x-ndjson"))["accepted"] == 10);
    CHECK(read(other.post("/api/v1/ingest/ocsf", records, "application/x-ndjson"))["duplicates"] == 10);
    CHECK(other.post("/api/v1/ingest/cef", records, "application/x-ndjson").status == 404);
    wait_until_correlated(other);
    CHECK(read(other.get("/api/v1/findings?pattern=password-spray"))["items"].size() == 1);
    CHECK(server.stop() == 0);
}

TEST_CASE("a posted pattern waits for absence until the watermark has passed it") {
    ServerProcess server;
    server.start();
    auto client = server.tenant("absence");
    std::string text = document;
    text += "absent:\n  - {match: {name: test_ticket}, after: deletion, within: 2h}\n";
    const auto shown = read(client.post("/api/v1/patterns", text, "application/yaml"), 201)["document"]["absent"];
    CHECK(shown == Json::parse(R"([{"match": {"name": "test_ticket"}, "after": "deletion", "within": "2h"}])"));
    CHECK(findings_after(client, "alice", "10:00:00", "11:00:00") == 1);
    const auto waiting = read(client.get("/api/v1/findings?state=waiting"))["items"];
    REQUIRE(waiting.size() == 1);
    CHECK(waiting[0]["waiting_for"]["until"] == "2026-03-05T13:00:00.000001Z");
    CHECK(waiting[0]["incident"].is_null());
    CHECK(findings_after(client, "bob", "10:10:00", "11:10:00") == 2);
    read(client.post("/api/v1/signals", signal("bob", "12:00:00", "test_ticket").dump()), 201);
    wait_until_correlated(client);
    CHECK(read(client.get("/api/v1/findings?state=waiting"))["items"] == waiting);
    read(client.post("/api/v1/watermark", R"({"time": "2026-03-05T14:00:00Z"})"), 200);
    wait_until_correlated(client);
    const auto open = read(client.get("/api/v1/findings?state=open"))["items"];
    REQUIRE(open.size() == 1);
    CHECK(open[0]["id"] == waiting[0]["id"]);
    CHECK(open[0]["waiting_for"].is_null());
    CHECK(open[0]["incident"] == 1);
    CHECK(read(client.get("/api/v1/findings?state=superseded"))["items"].size() == 1);
    CHECK(server.stop() == 0);
}

TEST_CASE("the program checks pattern files and runs their examples without a server") {
    const TemporaryFolder folder;
    const auto file = (folder.path() / "p.yaml").string();
    const auto run = [&](const std::string& task, const std::string& text) {
        std::ofstream{file} << text;
        ChildProcess process{{catenary_program(), "patterns", task, file}, folder.path() / "output"};
        const auto code = process.wait(30s);
        return std::pair{code, process.output()};
    };
    const auto [good, listed] = run("test", document);
    CHECK(good == 0);
    CHECK(listed == file + ":10: /examples/must_match/0: ok\n1 patterns, 1 examples, 0 failed\n");
    std::string late = document;
    late.replace(late.find("24h"), 3, "30m");
    const auto [code, said] = run("test", late);
    CHECK(code == 1);
    CHECK_MESSAGE(said.find("/examples/must_match/0: FAILED: stage \"deletion\" came too late by ") != std::string::npos, said);
    CHECK(run("check", late).first == 0);
    late.replace(late.find("within"), 6, "whithin");
    CHECK(run("check", late).first == 1);
}
