#include "tests/support/fake_api.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const engine::EntityKey morrison{"account", "j.morrison@ne.example"};

/// Signals of the account, the newest first: the n-th is n minutes before the sign-in, with the host h<n % 3>.
tests::FakeApi api_with(int signals) {
    tests::FakeApi api;
    api.entities.rows = {{morrison, true}, {{"account", "root"}, false}};
    for (int n = 0; n < signals; ++n) {
        auto row = tests::stored_sign_in();
        row.signal.id = "s" + std::to_string(n);
        row.signal.time -= n * 1min;
        if (n % 2 == 1) row.signal.name = "odd";
        row.signal.entities = {{"account", "j.morrison@ne.example", "actor", true}, {"host", "h" + std::to_string(n % 3), "target", true}};
        api.signals.rows.push_back(row);
    }
    return api;
}

}  // namespace

TEST_CASE("entities are listed by kind and prefix") {
    auto api = api_with(0);
    const auto reply = api.get("/api/v1/entities?kind=account&kind=host&prefix=J.&limit=1");
    REQUIRE(reply.status == 200);
    CHECK(reply.body["items"] ==
          json::parse(R"([{"kind":"account","value":"j.morrison@ne.example","tags":[],"criticality":null,"facts":{},"link":null,"hub":null,"revision":0,
                           "changed":null,"changed_by":null}])"));
    CHECK(api.entities.asked.kinds == std::vector<std::string>{"account", "host"});
    CHECK(api.entities.asked.prefix == "J.");
    const auto next = reply.body["next_cursor"].get<std::string>();
    const auto second = api.get("/api/v1/entities?kind=account&kind=host&prefix=J.&cursor=" + next);
    CHECK(second.body["items"].size() == 1);
    CHECK(second.body["items"][0]["value"] == "root");
    CHECK(second.body["items"][0]["identifies"] == false);
    CHECK(second.body["next_cursor"].is_null());
    CHECK(api.get("/api/v1/entities?cursor=" + next).status == 400);
    CHECK(api.get("/api/v1/entities?prefix=&knid=host").pointers() == std::vector<std::string>{"/prefix", "/knid"});
}

TEST_CASE("an entity is found under any spelling, and only if a signal has mentioned it") {
    auto api = api_with(1);
    CHECK(api.get("/api/v1/entities/account/J.Morrison%40NE.Example.").body["value"] == "j.morrison@ne.example");
    for (const auto* path : {"", "/timeline", "/neighbours", "/graph"}) {
        CHECK(api.get(std::string{"/api/v1/entities/account/nobody%2Fhere"} + path).status == 404);
        CHECK(api.get(std::string{"/api/v1/entities/account/j.morrison@ne.example"} + path + "?colour=red").pointers() == std::vector<std::string>{"/colour"});
    }
}

TEST_CASE("a profile counts the entity's signals, by name and by neighbour") {
    auto api = api_with(5);
    api.signals.rows[3].shown_json = R"({"0":"NE\\Morrison","1":"H0"})";
    api.signals.rows[4].aliases_json = R"({"0":[{"kind":"account","value":"ne\\morrison"}],"1":[{"kind":"host","value":"other"}]})";
    api.incidents.records.emplace(17, tests::incident_of_two(17));
    const auto reply = api.get("/api/v1/entities/account/j.morrison@ne.example");
    REQUIRE(reply.status == 200);
    const auto& body = reply.body;
    CHECK(body["first_seen"] == "2026-03-05T22:43:11Z");
    CHECK(body["last_seen"] == "2026-03-05T22:47:11Z");
    CHECK(body["spellings"] == json{"J.Morrison@NE.example", "NE\\Morrison"});
    CHECK(body["signals"]["examined"] == 5);
    CHECK(body["signals"]["complete"] == true);
    CHECK(body["signals"]["by_name"] == json::parse(R"([
        {"source":"entra_id","name":"unfamiliar_location_signin","domain":"identity","signals":3,"first":"2026-03-05T22:43:11Z","last":"2026-03-05T22:47:11Z"},
        {"source":"entra_id","name":"odd","domain":"identity","signals":2,"first":"2026-03-05T22:44:11Z","last":"2026-03-05T22:46:11Z"}])"));
    CHECK(body["neighbours"] == json::parse(R"([
        {"kind":"host","value":"h0","signals":2,"first":"2026-03-05T22:44:11Z","last":"2026-03-05T22:47:11Z"},
        {"kind":"host","value":"h1","signals":2,"first":"2026-03-05T22:43:11Z","last":"2026-03-05T22:46:11Z"},
        {"kind":"host","value":"h2","signals":1,"first":"2026-03-05T22:45:11Z","last":"2026-03-05T22:45:11Z"}])"));
    CHECK(body["aliases"] == json::parse(R"([{"kind":"account","value":"ne\\morrison","source":"entra_id","last":"2026-03-05T22:43:11Z"}])"));
    CHECK(body["incidents"][0]["number"] == 17);
    CHECK(api.incidents.asked.entities == std::vector<engine::EntityKey>{morrison});

    api.caller.scopes = static_cast<std::uint16_t>(api::Scope::signals_read);
    CHECK_FALSE(api.get("/api/v1/entities/account/j.morrison@ne.example").body.contains("incidents"));
}

TEST_CASE("a profile of more signals than it reads says so, and still knows the first") {
    auto api = api_with(1'001);
    const auto body = api.get("/api/v1/entities/account/j.morrison@ne.example").body;
    CHECK(body["signals"]["examined"] == 1'000);
    CHECK(body["signals"]["complete"] == false);
    CHECK(body["first_seen"] == "2026-03-05T06:07:11Z");  // date -ud '2026-03-05 22:47:11 1000 minutes ago'
}

TEST_CASE("a timeline tells role and company of the entity, signal by signal") {
    auto api = api_with(3);
    const auto reply = api.get("/api/v1/entities/account/j.morrison@ne.example/timeline?limit=2&time_after=2026-03-05T00:00:00Z");
    REQUIRE(reply.status == 200);
    REQUIRE(reply.body["items"].size() == 2);
    CHECK(reply.body["items"][1]["time"] == "2026-03-05T22:46:11Z");
    CHECK(reply.body["items"][1]["role"] == "actor");
    CHECK(reply.body["items"][1]["with"] == json::parse(R"([{"kind":"host","value":"h1","role":"target"}])"));
    CHECK(api.signals.asked.entities == std::vector<engine::EntityKey>{morrison});
    CHECK(api.signals.asked.time.first == tests::at("2026-03-05T00:00:00Z"));
    const auto next = reply.body["next_cursor"].get<std::string>();
    const auto rest = api.get("/api/v1/entities/account/j.morrison@ne.example/timeline?limit=2&time_after=2026-03-05T00:00:00Z&cursor=" + next);
    CHECK(rest.body["items"].size() == 1);
    const auto forwards = api.get("/api/v1/entities/account/j.morrison@ne.example/timeline?sort=time");
    CHECK(forwards.body["items"][0]["id"] == "s2");
}

TEST_CASE("neighbours are ranked, filtered by kind and cut at the limit") {
    auto api = api_with(5);
    api.signals.rows[0].signal.entities.push_back({"ip", "127.0.0.1", "", false});
    const auto all = api.get("/api/v1/entities/account/j.morrison@ne.example/neighbours?limit=2").body;
    CHECK(all["total"] == 4);
    REQUIRE(all["items"].size() == 2);
    CHECK(all["items"][0]["value"] == "h0");
    CHECK(all["items"][1]["value"] == "h1");
    CHECK(all["signals"] == json::parse(R"({"examined":5,"complete":true})"));
    const auto addresses = api.get("/api/v1/entities/account/j.morrison@ne.example/neighbours?kind=ip").body;
    CHECK(addresses["items"].size() == 1);
    CHECK(addresses["items"][0]["identifies"] == false);
}
