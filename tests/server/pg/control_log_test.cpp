#include "server/pg/control_log.hpp"

#include "api/json/control_json.hpp"
#include "server/pg/pattern_version_store.hpp"
#include "tests/server/pg/stored_results.hpp"
#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <future>
#include <string>
#include <thread>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
namespace pg = server::pg;
using api::ports::FailureCode;
using engine::IncidentNumber;

namespace {

engine::IncidentEdit closing(std::int64_t number) {
    engine::IncidentEdit edit;
    edit.number = IncidentNumber{number};
    edit.status = engine::IncidentStatus::closed;
    edit.actor = "k";
    return edit;
}

api::ports::PatternVersion pattern(const std::string& id) {
    api::ports::PatternVersion version;
    version.id = id;
    version.mode = engine::Mode::flighting;
    version.document_json = R"({"id":")" + id + R"("})";
    return version;
}

}  // namespace

TEST_CASE("a watermark call takes the next position") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    pg::LaneProgress progress;
    int told = 0;
    pg::PgControlLog log{database.api(), progress, [&] { ++told; }};
    const auto first = log.watermark(tenant.caller, {engine::from_micros(1'772'750'831'000'000), true});
    const auto second = log.watermark(tenant.caller, {engine::from_micros(1'772'750'832'000'000), false});
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK((*second).value() == (*first).value() + 1);
    CHECK(told == 2);
    CHECK(database.ask("SELECT kind || body FROM control ORDER BY position LIMIT 1") == R"(watermark{"time":"2026-03-05T22:47:11Z","hold":true})");
}

TEST_CASE("an edit returns once the lane has applied it") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    add_incidents(database, tenant.caller.tenant, 1);
    pg::LaneProgress progress;
    pg::PgControlLog log{database.api(), progress};
    auto edited = std::async(std::launch::async, [&] { return log.edit(tenant.caller, closing(1), 1); });
    while (database.ask("SELECT count(*) FROM control") == "0") std::this_thread::sleep_for(1ms);
    CHECK(edited.wait_for(30ms) == std::future_status::timeout);
    SUBCASE("as this process's lane says") {
        database.run("UPDATE incident SET status = 'closed', revision = 2; UPDATE lane SET done = (SELECT position FROM control) WHERE id = 0");
        progress.reached(0, engine::Position{1});
    }
    SUBCASE("as another process's lane has written") {
        database.run("UPDATE incident SET status = 'closed', revision = 2; UPDATE lane SET done = (SELECT position FROM control) WHERE id = 0");
    }
    const auto incident = edited.get();
    REQUIRE(incident.has_value());
    CHECK((*incident).status == engine::IncidentStatus::closed);
    CHECK((*incident).revision == 2);
}

TEST_CASE("an edit that cannot be made leaves no entry") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    const auto other = database.add_tenant("second");
    add_incidents(database, tenant.caller.tenant, 1);
    pg::LaneProgress progress;
    pg::PgControlLog log{database.api(), progress, {}, 20ms};
    CHECK(log.edit(tenant.caller, closing(2), std::nullopt).error().code == FailureCode::not_found);
    CHECK(log.edit(other.caller, closing(1), std::nullopt).error().code == FailureCode::not_found);
    CHECK(log.edit(tenant.caller, closing(1), 7).error().code == FailureCode::stale);
    CHECK(database.ask("SELECT count(*) FROM control") == "0");
    CHECK(database.ask("SELECT next_position FROM log") == "1");
}

TEST_CASE("of two edits made for one revision one is stale, though the lane has applied neither") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    add_incidents(database, tenant.caller.tenant, 2);
    pg::LaneProgress progress;
    pg::PgControlLog log{database.api(), progress, {}, 20ms};
    const auto first = log.edit(tenant.caller, closing(1), 1);
    CHECK(first.error().code == FailureCode::recorded);  // recorded; no lane runs here
    CHECK(first.error().detail.find("position 1") != std::string::npos);
    CHECK(log.edit(tenant.caller, closing(1), 1).error().code == FailureCode::stale);
    CHECK(log.edit(tenant.caller, closing(2), 1).error().code == FailureCode::recorded);
    CHECK(log.edit(tenant.caller, closing(1), std::nullopt).error().code == FailureCode::recorded);
    CHECK(database.ask("SELECT count(*) FROM control") == "3");
}

TEST_CASE("a pattern and its control entry are stored together or not at all") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    const auto other = database.add_tenant("second");
    pg::PatternVersionStore store{database.api()};
    const auto added = store.add(tenant.caller, pattern("mine"), engine::from_micros(1'772'750'831'000'000));
    REQUIRE(added.has_value());
    CHECK((*added).created_by == tenant.caller.key_id);
    CHECK((*added).mode == engine::Mode::flighting);
    CHECK(database.ask("SELECT body FROM control") ==
          R"({"id":"mine","version":1,"mode":"flighting","effective_from":"2026-03-05T22:47:11Z","document":{"id":"mine"}})");
    CHECK(database.ask("SELECT position = (SELECT position FROM control) FROM pattern_version") == "t");
    CHECK(store.add(tenant.caller, pattern("mine"), std::nullopt).error().code == FailureCode::conflict);
    CHECK(database.ask("SELECT count(*) FROM control") == "1");
    CHECK(store.add(other.caller, pattern("mine"), std::nullopt).has_value());
    CHECK((*store.find(tenant.caller, "mine")).document_json == R"({"id":"mine"})");
    CHECK(store.find(tenant.caller, "theirs").error().code == FailureCode::not_found);
    CHECK((*store.list(tenant.caller)).size() == 1);
}

TEST_CASE("of patterns with one id posted at once exactly one is stored") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    pg::PatternVersionStore store{database.api()};
    std::vector<std::future<bool>> attempts;
    for (int i = 0; i < 4; ++i) {
        attempts.push_back(std::async(std::launch::async, [&] {
            const auto added = store.add(tenant.caller, pattern("same"), std::nullopt);
            CHECK((added.has_value() || added.error().code == FailureCode::conflict));
            return added.has_value();
        }));
    }
    int stored = 0;
    for (auto& attempt : attempts) stored += attempt.get() ? 1 : 0;
    CHECK(stored == 1);
    CHECK(database.ask("SELECT count(*) FROM control") == "1");
}
