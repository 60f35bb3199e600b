#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using namespace std::chrono_literals;
using nlohmann::json;

TEST_CASE("settings show value, default, range and meaning, also when nobody ever changed one") {
    tests::FakeApi api;
    const auto reply = api.get("/api/v1/settings");
    REQUIRE(reply.status == 200);
    CHECK(reply.headers.at("ETag") == "\"0\"");
    const auto& lateness = reply.body["settings"]["lateness"];
    CHECK(lateness["value"] == "1h");
    CHECK(lateness["default"] == "1h");
    CHECK(lateness["minimum"] == "1s");
    CHECK(lateness["maximum"] == "7d");
    CHECK_FALSE(lateness["meaning"].get<std::string>().empty());
    CHECK(reply.body["settings"]["base_rate"]["value"] == 0.01);
    CHECK(reply.body["settings"]["unlinkable_limit"]["value"] == 8);
    CHECK(reply.body["settings"]["window_signals"]["value"] == 20'000'000);
    CHECK(reply.body["changed"].is_null());
    CHECK(api.get("/api/v1/settings", "\"0\"").status == 304);
}

TEST_CASE("a change keeps what it leaves out, and null goes back to the default") {
    tests::FakeApi api;
    const auto first = api.put("/api/v1/settings", {{"lateness", "30m"}, {"base_rate", 0.001}});
    REQUIRE(first.status == 200);
    CHECK(first.headers.at("ETag") == "\"1\"");
    CHECK(first.body["settings"]["lateness"]["value"] == "30m");
    CHECK(first.body["settings"]["lateness"]["default"] == "1h");
    CHECK(first.body["changed_by"] == "k0");
    const auto second =
        api.put("/api/v1/settings", {{"lateness", nullptr}, {"group_within", "2d"}, {"unlinkable_limit", 32}, {"window_signals", 50'000}}, "\"1\"");
    REQUIRE(second.status == 200);
    const auto third = api.put("/api/v1/settings", {{"daily_incidents", 30}, {"incident_entities", 1'000}});
    REQUIRE(third.status == 200);
    CHECK(third.body["settings"]["daily_incidents"]["default"] == 10'000);
    CHECK(third.body["settings"]["incident_entities"]["default"] == 500);
    CHECK(api.settings.stored.values == api::ports::TenantSettings{1h, 48h, 0.001, 32, 50'000, 30, 1'000});
}

TEST_CASE("a change of an older revision is refused; an unconditional one that is overtaken is made again") {
    tests::FakeApi api;
    CHECK(api.put("/api/v1/settings", {{"lateness", "30m"}}, "\"4\"").status == 412);
    CHECK(api.settings.stored.revision == 0);
    api.settings.stale_answers = 2;
    CHECK(api.put("/api/v1/settings", {{"lateness", "30m"}}).status == 200);
    CHECK(api.settings.stored.revision == 3);
    api.settings.stale_answers = 1;
    CHECK(api.put("/api/v1/settings", {{"lateness", "20m"}}, "\"3\"").status == 412);
    api.settings.stale_answers = 99;
    CHECK(api.put("/api/v1/settings", {{"lateness", "20m"}}).status == 412);
}

TEST_CASE("bad settings are refused with every fault and change nothing") {
    struct Case {
        std::string name;
        json body;
        std::vector<std::pair<std::string, std::string>> faults;  ///< pointer and code
    };
    const Case cases[] = {
        {"nothing", json::object(), {{"", "missing"}}},
        {"no object", 5, {{"", "wrong_type"}}},
        {"unknown", {{"latenes", "1h"}, {"threshold", 0.5}}, {{"/latenes", "unknown_field"}, {"/threshold", "unknown_field"}}},
        {"no spans", {{"lateness", 3600}, {"group_within", "soon"}}, {{"/lateness", "wrong_type"}, {"/group_within", "malformed"}}},
        {"spans too long", {{"lateness", "8d"}, {"group_within", "31d"}}, {{"/lateness", "out_of_range"}, {"/group_within", "out_of_range"}}},
        {"base rates", {{"base_rate", 0.9}}, {{"/base_rate", "out_of_range"}}},
        {"no base rate", {{"base_rate", "low"}}, {{"/base_rate", "wrong_type"}}},
        {"limits", {{"unlinkable_limit", 0}}, {{"/unlinkable_limit", "out_of_range"}}},
        {"half a limit", {{"unlinkable_limit", 2.5}}, {{"/unlinkable_limit", "out_of_range"}}},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        tests::FakeApi api;
        const auto reply = api.put("/api/v1/settings", c.body);
        CHECK(reply.status == 422);
        std::vector<std::pair<std::string, std::string>> faults;
        for (const auto& error : reply.body["errors"]) faults.emplace_back(error["pointer"].get<std::string>(), error["code"].get<std::string>());
        CHECK(faults == c.faults);
        CHECK(api.settings.stored.revision == 0);
    }
    tests::FakeApi api;
    const auto reply = api.put("/api/v1/settings", {{"latenes", "1h"}});
    CHECK(reply.body["errors"][0]["detail"].get<std::string>().find("did you mean \"lateness\"?") != std::string::npos);
}
