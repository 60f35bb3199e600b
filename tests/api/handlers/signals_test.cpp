#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

using namespace catenary;

TEST_CASE("a stored signal is shown as posted, canonical beside original spelling") {
    tests::FakeApi api;
    api.signals.rows = {tests::stored_sign_in()};
    const auto reply = api.get("/api/v1/signals");
    REQUIRE(reply.status == 200);
    CHECK(reply.body["next_cursor"].is_null());
    const auto& item = reply.body["items"][0];
    CHECK(item["id"] == "aad-7f3");
    CHECK(item["time"] == "2026-03-05T22:47:11Z");
    CHECK(item["received"] == "2026-03-05T22:48:00.500Z");
    CHECK(item["entities"][0]["value"] == "j.morrison@ne.example");
    CHECK(item["entities"][0]["shown"] == "J.Morrison@NE.example");
    CHECK(item["entities"][0]["role"] == "actor");
    CHECK(item["entities"][1]["identifies"] == false);
    CHECK(item["attributes"]["risk"]["level"] == "medium");
}

TEST_CASE("filters reach the reader: repeated ones are alternatives, entities canonical") {
    tests::FakeApi api;
    const auto reply = api.get(
        "/api/v1/"
        "signals?source=a&source=b&name=n&domain=d&tactic=TA0001&technique=T1078&technique=T1110&severity=high&severity=low&entity=account:J.Morrison%40NE."
        "example&entity=ip:2001:DB8::1"
        "&time_after=2026-03-05T00:00:00Z&time_before=2026-03-06T01:00:00%2B01:00&sort=time");
    CHECK(reply.status == 200);
    const auto& filter = api.signals.asked;
    CHECK(filter.sources == std::vector<std::string>{"a", "b"});
    CHECK(filter.names == std::vector<std::string>{"n"});
    CHECK(filter.domains == std::vector<std::string>{"d"});
    CHECK(filter.tactics == std::vector<std::string>{"TA0001"});
    CHECK(filter.techniques == std::vector<std::string>{"T1078", "T1110"});
    CHECK(filter.severities == std::vector<engine::Severity>{engine::Severity::high, engine::Severity::low});
    CHECK(filter.entities == std::vector<engine::EntityKey>{{"account", "j.morrison@ne.example"}, {"ip", "2001:db8::1"}});
    CHECK(filter.time.first == tests::at("2026-03-05T00:00:00Z"));
    CHECK(filter.time.second == tests::at("2026-03-06T00:00:00Z"));
    CHECK_FALSE(filter.newest_first);
}

TEST_CASE("bad filters are refused together") {
    tests::FakeApi api;
    const auto reply = api.get("/api/v1/signals?entity=j.morrison&entity=:x&time_after=yesterday&limit=0&sort=name&cursor=abc&severity=grave&tehcnique=T1078");
    CHECK(reply.status == 400);
    const auto pointers = reply.pointers();
    for (const auto* pointer : {"/entity", "/time_after", "/limit", "/sort", "/cursor", "/severity", "/tehcnique"}) {
        CHECK(std::find(pointers.begin(), pointers.end(), pointer) != pointers.end());
    }
    CHECK(api.get("/api/v1/signals?time_after=2026-03-06T00:00:00Z&time_before=2026-03-05T00:00:00Z").pointers() == std::vector<std::string>{"/time_before"});
}

TEST_CASE("a list pages by a cursor that is bound to its filters") {
    tests::FakeApi api;
    for (int i = 0; i < 5; ++i) {
        auto row = tests::stored_sign_in();
        row.signal.id = "s" + std::to_string(i);
        api.signals.rows.push_back(row);
    }
    std::vector<std::string> ids;
    std::string cursor;
    for (int page = 0; page < 3; ++page) {
        const auto reply = api.get("/api/v1/signals?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
        REQUIRE(reply.status == 200);
        for (const auto& item : reply.body["items"]) ids.push_back(item["id"].get<std::string>());
        cursor = reply.body["next_cursor"].is_null() ? "" : reply.body["next_cursor"].get<std::string>();
        if (page == 0) CHECK(api.get("/api/v1/signals?limit=2&name=x&cursor=" + cursor).status == 400);
    }
    CHECK(cursor.empty());
    CHECK(ids == std::vector<std::string>{"s0", "s1", "s2", "s3", "s4"});
}

TEST_CASE("a reader that cannot answer becomes the problem it stands for") {
    tests::FakeApi api;
    using api::ports::FailureCode;
    const std::pair<FailureCode, int> table[] = {{FailureCode::unavailable, 503}, {FailureCode::outcome_unknown, 0}, {FailureCode::conflict, 409},
                                                 {FailureCode::not_found, 404},   {FailureCode::stale, 412},         {FailureCode::invalid, 422}};
    for (const auto& [code, status] : table) {
        api.signals.failure = api::ports::Failure{code, "said plainly"};
        const auto reply = api.get("/api/v1/signals");
        CHECK(reply.status == status);
        CHECK(reply.headers.contains("Retry-After") == (status == 503));
    }
}

TEST_CASE("a signal is found by its source and id, which may hold any character") {
    tests::FakeApi api;
    auto row = tests::stored_sign_in();
    row.signal.source = "a/b";
    row.signal.id = "x:1/2 %3F?";
    row.aliases_json = R"({"0":[{"kind":"account","value":"ne\\morrison"}]})";
    api.signals.rows = {tests::stored_sign_in(), row};
    api.signals.uses = {{tests::finding_of_two().id, "takeover", "access", engine::IncidentNumber{17}}, {tests::finding_of_two().id, "trial", "access", {}}};
    const auto reply = api.get("/api/v1/signals/a%2Fb/x:1%2F2%20%253F%3F");
    REQUIRE(reply.status == 200);
    CHECK(reply.body["source"] == "a/b");
    CHECK(reply.body["id"] == "x:1/2 %3F?");
    CHECK(reply.body["title"] == "Sign-in from an unfamiliar location");
    CHECK(reply.body["entities"][0]["shown"] == "J.Morrison@NE.example");
    CHECK(reply.body["entities"][0]["role"] == "actor");
    CHECK(reply.body["entities"][0]["aliases"] == nlohmann::json::parse(R"([{"kind":"account","value":"ne\\morrison"}])"));
    CHECK_FALSE(reply.body["entities"][1].contains("aliases"));
    CHECK(reply.body["attributes"]["risk"]["level"] == "medium");
    CHECK(reply.body["received"] == "2026-03-05T22:48:00.500Z");
    CHECK(reply.body["late"] == false);
    CHECK(reply.body["evidence_of"] ==
          nlohmann::json::parse(R"([{"finding":"3b241101-e2bb-5255-8caf-4136c566a962","pattern":"takeover","stage":"access","incident":17},
        {"finding":"3b241101-e2bb-5255-8caf-4136c566a962","pattern":"trial","stage":"access","incident":null}])"));
    CHECK(api.get("/api/v1/signals/a/b").status == 404);
}

TEST_CASE("a signal's time goes to the reader, other parameters are refused") {
    tests::FakeApi api;
    api.signals.rows = {tests::stored_sign_in()};
    CHECK(api.get("/api/v1/signals/entra_id/aad-7f3?time=2026-03-05T22:47:11Z").status == 200);
    CHECK(api.signals.time_asked == tests::at("2026-03-05T22:47:11Z"));
    CHECK(api.get("/api/v1/signals/entra_id/aad-7f3?time=noon&when=now").pointers() == std::vector<std::string>{"/time", "/when"});
}

TEST_CASE("what rests on a signal is for those who may read incidents") {
    tests::FakeApi api;
    api.signals.rows = {tests::stored_sign_in()};
    api.signals.uses = {{tests::finding_of_two().id, "takeover", "access", engine::IncidentNumber{17}}};
    api.caller.scopes = static_cast<std::uint16_t>(api::Scope::signals_read);
    const auto reply = api.get("/api/v1/signals/entra_id/aad-7f3");
    CHECK(reply.status == 200);
    CHECK_FALSE(reply.body.contains("evidence_of"));
}
