#include "tests/e2e/curl.hpp"
#include "tests/support/server_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>

// Two people with curl and the README: each step goes where the reply before it leads, by a header or a value of it, or mends what a problem points at.

using namespace catenary::tests;
using nlohmann::json;

namespace {

constexpr const char* faulty_pattern = R"(id: walk-key-listing-then-deletion
title: Keys listed, then deletion
severity: grave
within: 20d
link: {same: [account]}
stages:
  - id: keys
    match: {name: walk_key_listing}
  - id: deletion
    match: {name: walk_deletion, severtiy: {gte: medium}}
examples:
  must_match:
    - - {source: c, id: "1", time: "2026-03-05T10:00:00Z", domain: cloud_infra, name: walk_key_listing, entities: [{kind: account, value: x}]}
      - {source: c, id: "2", time: "2026-03-05T11:00:00Z", domain: cloud_infra, name: walk_deletion, severity: high, entities: [{kind: account, value: x}]}
)";

/// What the engineer changes where a problem points; a place that is not here is one that the problem should not have named.
const std::map<std::string, std::pair<std::string, std::string>> mends{
    {"/severity", {"severity: grave", "severity: high"}},
    {"/within", {"within: 20d", "within: 12h"}},
    {"/stages/1/match/severtiy", {"severtiy:", "severity:"}},
};

constexpr const char* signals =
    R"({"id":"k/1","source":"cloud trail","time":"2026-03-05T10:00:00Z","domain":"cloud_infra","name":"walk_key_listing","severity":"medium","confidence":0.4,"entities":[{"kind":"account","value":"J.Morrison@ne.example","role":"actor"},{"kind":"ip","value":"203.0.113.7"}]}
{"id":"d?2","source":"cloud trail","time":"2026-03-05T10:30:00Z","domain":"data","name":"walk_deletion","severity":"high","confidence":0.4,"entities":[{"kind":"account","value":"j.morrison@ne.example","role":"actor"}]}
)";

struct Walk {
    Walk() : curl{start(), server.admin_key()} {}
    std::string start() {
        server.start();
        return server.url();
    }
    std::string file(const std::string& name, const std::string& text) const {
        const auto path = folder.path() / name;
        std::ofstream{path, std::ios::binary} << text;
        return path.string();
    }
    CurlReply send(const char* method, const std::string& path, const std::string& text, const std::vector<std::string>& headers = {}) const {
        const auto is_json = text.starts_with('{') && text.find('\n') == std::string::npos;
        const auto* type = text.starts_with("id:") ? "application/yaml" : is_json ? "application/json" : "application/x-ndjson";
        std::vector<std::string> arguments{"-X", method, "-H", std::string{"Content-Type: "} + type, "--data-binary", "@" + file("sent", text)};
        for (const auto& header : headers) arguments.insert(arguments.end(), {"-H", header});
        return curl(path, arguments);
    }
    int patterns_test(const std::string& text) const {
        ChildProcess process{{catenary_program(), "patterns", "test", file("pattern.yaml", text)}, folder.path() / "patterns-test.log"};
        return process.wait(std::chrono::seconds{30});
    }
    void wait_for_lane() const {
        auto client = server.admin();
        wait_until_correlated(client);
    }
    TemporaryFolder folder;
    ServerProcess server;
    Curl curl;
};

void replace(std::string& text, const std::pair<std::string, std::string>& change) {
    const auto at = text.find(change.first);
    REQUIRE(at != std::string::npos);
    text.replace(at, change.first.size(), change.second);
}

/// The engineer writes, mends, tests and deploys a pattern; returns where it is.
std::string deploy_pattern(const Walk& walk) {
    std::string pattern = faulty_pattern;
    const auto refused = walk.send("POST", "/api/v1/patterns:validate", pattern);
    REQUIRE(refused.status == 422);
    CHECK(refused.headers.at("content-type") == "application/problem+json");
    REQUIRE(refused.body["errors"].size() == mends.size());
    for (const auto& error : refused.body["errors"]) {
        const auto mend = mends.find(error["pointer"].get<std::string>());
        REQUIRE_MESSAGE(mend != mends.end(), error.dump());
        replace(pattern, mend->second);
    }
    CHECK(refused.text.find("did you mean \\\"severity\\\"?") != std::string::npos);
    const auto valid = walk.send("POST", "/api/v1/patterns:validate", pattern);
    CAPTURE(valid.text);
    REQUIRE(valid.status == 200);
    REQUIRE(valid.body["examples"].size() == 1);
    CHECK(valid.body["examples"][0]["passed"] == true);
    CHECK(walk.patterns_test(pattern) == 0);

    const auto posted = walk.send("POST", "/api/v1/patterns", pattern);
    CAPTURE(posted.text);
    REQUIRE(posted.status == 201);
    const auto where = posted.headers.at("location");
    const auto off = walk.send("PUT", where + "/deployment", R"({"mode":"off"})", {"If-Match: " + posted.headers.at("etag")});
    REQUIRE(off.status == 200);
    CHECK(off.body["mode"] == "off");
    const auto on = walk.send("PUT", where + "/deployment", R"({"mode":"production"})", {"If-Match: " + off.headers.at("etag")});
    REQUIRE(on.status == 200);

    auto read = walk.curl(where, {"-H", "Accept: application/yaml"});
    REQUIRE(read.status == 200);
    replace(read.text, {"Keys listed, then deletion", "Storage keys listed, then deletion"});
    const auto stale = walk.send("PUT", where, read.text, {"If-Match: " + posted.headers.at("etag")});
    CHECK(stale.status == 412);
    const auto changed = walk.send("PUT", where, read.text, {"If-Match: " + read.headers.at("etag")});
    CAPTURE(changed.text);
    REQUIRE(changed.status == 200);
    CHECK(changed.body["version"] == 2);
    CHECK(changed.body["mode"] == "production");
    const auto versions = walk.curl(where + "/versions");
    REQUIRE(versions.body["items"].size() == 2);
    const auto first = walk.curl(fmt::format("{}/versions/{}", where, versions.body["items"][1]["version"].get<int>()));
    CHECK(first.body["document"]["title"] == "Keys listed, then deletion");
    return where;
}

/// The analyst goes from the list of incidents to the last raw signal and back; returns the incident as it was read.
CurlReply follow_incident(const Walk& walk, const std::string& pattern) {
    const auto list = walk.curl("/api/v1/incidents?sort=-score");
    CAPTURE(list.text);
    REQUIRE(list.body["items"].size() == 1);
    const auto number = list.body["items"][0]["number"].get<int>();
    auto incident = walk.curl(fmt::format("/api/v1/incidents/{}", number));
    REQUIRE(incident.status == 200);
    CHECK(walk.curl("/api/v1/patterns/" + segment(incident.body["patterns"][0].get<std::string>())).body["id"] == pattern);

    const auto explanation = walk.curl(fmt::format("/api/v1/incidents/{}/explanation", incident.body["number"].get<int>()));
    REQUIRE(explanation.body["findings"].size() == 1);
    CHECK_FALSE(explanation.body["would_not_fire_if"].empty());
    const auto finding = walk.curl("/api/v1/findings/" + explanation.body["findings"][0]["id"].get<std::string>());
    CHECK(finding.body["incident"] == explanation.body["incident"]);

    const auto evidence = walk.curl(fmt::format("/api/v1/incidents/{}/evidence", explanation.body["incident"].get<int>()));
    REQUIRE(evidence.body["items"].size() == 2);
    const auto& last = evidence.body["items"].back();
    const auto signal = walk.curl(fmt::format("/api/v1/signals/{}/{}", segment(last["source"].get<std::string>()), segment(last["id"].get<std::string>())),
                                  {"-G", "--data-urlencode", "time=" + last["time"].get<std::string>()});
    CAPTURE(signal.text);
    REQUIRE(signal.status == 200);
    CHECK(signal.body["name"] == "walk_deletion");

    REQUIRE(signal.body["evidence_of"].size() == 1);
    CHECK(signal.body["evidence_of"][0]["finding"] == finding.body["id"]);
    const auto back = walk.curl(fmt::format("/api/v1/incidents/{}", signal.body["evidence_of"][0]["incident"].get<int>()));
    CHECK(back.body == incident.body);

    const auto& entity = signal.body["entities"][0];
    const auto kind = entity["kind"].get<std::string>();
    const auto value = entity["value"].get<std::string>();
    const auto profile = walk.curl("/api/v1/entities/" + segment(kind) + "/" + segment(value));
    REQUIRE(profile.status == 200);
    CHECK(profile.body["spellings"] == json{"J.Morrison@ne.example"});
    REQUIRE(profile.body["incidents"].size() == 1);
    CHECK(walk.curl(fmt::format("/api/v1/incidents/{}", profile.body["incidents"][0]["number"].get<int>())).body == incident.body);
    const auto all = walk.curl(
        "/api/v1/incidents", {"-G", "--data-urlencode", "entity=" + profile.body["kind"].get<std::string>() + ":" + profile.body["value"].get<std::string>()});
    REQUIRE(all.body["items"].size() == 1);
    CHECK(all.body["items"][0]["number"] == number);
    return incident;
}

}  // namespace

TEST_CASE("a detection engineer and an analyst need curl, the README and what replies say") {
    Walk walk;
    const auto pattern = deploy_pattern(walk);
    const auto posted = walk.send("POST", "/api/v1/signals", signals);
    CAPTURE(posted.text);
    REQUIRE(posted.status == 200);
    CHECK(posted.body["accepted"] == 2);
    walk.wait_for_lane();
    const auto incident = follow_incident(walk, "walk-key-listing-then-deletion");

    const auto where = fmt::format("/api/v1/incidents/{}", incident.body["number"].get<int>());
    const auto taken = walk.send("PATCH", where, R"({"status":"active","owner":"mika"})", {"If-Match: " + incident.headers.at("etag")});
    CHECK(taken.status == 200);
    const std::vector<std::string> once{"Idempotency-Key: walk-1"};
    const auto said = walk.send("POST", where + "/comments", R"({"text":"asked the user"})", once);
    REQUIRE(said.status == 201);
    CHECK_FALSE(said.headers.contains("idempotency-replayed"));
    walk.server.crash();
    walk.server.start();
    const auto repeated = walk.send("POST", where + "/comments", R"({"text":"asked the user"})", once);
    CHECK(repeated.status == 201);
    CHECK(repeated.body == said.body);
    CHECK(repeated.headers.at("idempotency-replayed") == "true");
    CHECK(walk.curl(where).body["comments"] == json{said.body});
    CHECK(walk.send("POST", where + "/comments", R"({"text":"something else"})", once).status == 422);

    const auto now = walk.curl(pattern);
    const auto removed = walk.curl(pattern, {"-X", "DELETE", "-H", "If-Match: " + now.headers.at("etag")});
    CHECK(removed.status == 204);
    CHECK(walk.curl(pattern).status == 404);
    CHECK(walk.curl(pattern + "/versions").body["items"].size() == 2);
    CHECK(walk.curl(where).body["number"] == incident.body["number"]);  // what it found stays
    CHECK(walk.server.stop() == 0);
}
