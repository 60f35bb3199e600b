#include "server/lanes/lane_set.hpp"
#include "server/pg/chain_store.hpp"
#include "server/pg/control_log.hpp"
#include "tests/server/lanes/lane_rig.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using server::LeaderStatus;

namespace {

api::ports::Page<api::ports::NearMissRow> near_misses(TestDatabase& database, const TestTenant& tenant, const api::ports::NearMissFilter& filter = {},
                                                      const api::ports::PageRequest& request = {}) {
    server::pg::ChainStore store{database.api(), {}};
    auto page = store.near_misses(tenant.caller, filter, request);
    REQUIRE(page.has_value());
    return *page;
}

/// Event time has come so far.
void pass(TestDatabase& database, LaneRig& rig, const TestTenant& tenant, std::chrono::microseconds after) {
    server::pg::PgControlLog control{database.api(), rig.progress(), [&rig] { rig.worker().nudge(); }};
    REQUIRE(control.watermark(tenant.caller, {story_begin + after, false}).has_value());
    REQUIRE(rig.settle());
}

std::optional<engine::PartialChains> partials(server::LaneWorker& worker, engine::TenantId tenant) {
    std::optional<engine::PartialChains> found;
    const bool answered = worker.ask([&](const server::LaneSet& lanes) {
        for (const auto& [number, lane] : lanes.all()) {
            if (!found) found = lane.partials(tenant, {});
        }
    });
    return answered ? found : std::nullopt;
}

}  // namespace

TEST_CASE("near misses are committed with the position they come from, once, and are the tenant's own") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    LaneRig rig{database};
    rig.ingest().start();
    rig.start_worker();
    REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    rig.ingest().post(first.caller.tenant,
                      {sign_in("a-1", "j@corp.example", 0s), sign_in("a-2", "k@corp.example", 10min), inbox_rule("a-3", "k@corp.example", 20min)});
    rig.ingest().post(second.caller.tenant, {sign_in("b-1", "other@corp.example", 1min), sign_in("b-2", "third@corp.example", 2min)});
    pass(database, rig, first, 24h);
    pass(database, rig, second, 24h);

    const auto page = near_misses(database, first);
    REQUIRE(page.items.size() == 1);
    const auto& miss = page.items[0].record;
    CHECK(miss.pattern == "risky-sign-in-then-inbox-rule");
    CHECK(miss.entity == engine::EntityKey{"account", "j@corp.example"});
    REQUIRE(miss.reached.size() == 1);
    CHECK(miss.reached[0] == engine::ChainStage{"access", {story_begin, "entra_id", "a-1"}});
    CHECK(miss.missing == "persistence");
    CHECK(miss.until == story_begin + 4h);

    const auto others = near_misses(database, second, {}, {1, ""});
    REQUIRE(others.items.size() == 1);
    CHECK(others.items[0].record.entity.value == "third@corp.example");  // the last to be over
    REQUIRE(others.next);
    const auto rest = near_misses(database, second, {}, {1, *others.next});
    REQUIRE(rest.items.size() == 1);
    CHECK(rest.items[0].record.entity.value == "other@corp.example");
    CHECK_FALSE(rest.next);
    CHECK(near_misses(database, second, {.patterns = {}, .missing = {}, .entities = {{"account", "other@corp.example"}}, .until = {}}).items.size() == 1);
    CHECK(near_misses(database, second, {.patterns = {"none"}, .missing = {}, .entities = {}, .until = {}}).items.empty());
    CHECK(near_misses(database, second, {.patterns = {}, .missing = {"access"}, .entities = {}, .until = {}}).items.empty());
    CHECK(near_misses(database, second, {.patterns = {}, .missing = {}, .entities = {}, .until = {story_begin + 4h + 2min, std::nullopt}}).items.size() == 1);
    CHECK(near_misses(database, second, {.patterns = {}, .missing = {}, .entities = {}, .until = {std::nullopt, story_begin + 4h + 2min}}).items.size() == 1);

    const auto before = result_dump(database);
    rig.worker().stop();
    database.run(
        "UPDATE lane SET done = 0; DELETE FROM near_miss; DELETE FROM finding; DELETE FROM finding_evidence; DELETE FROM incident; "
        "DELETE FROM incident_activity; DELETE FROM late_signal");
    rig.restart_worker();
    REQUIRE(rig.settle());
    CHECK(result_dump(database) == before);
}

TEST_CASE("near misses of more than 30 days ago are neither shown nor kept") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    LaneRig rig{database};
    rig.ingest().start();
    rig.start_worker();
    REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    rig.ingest().post(tenant.caller.tenant, {sign_in("a-1", "j@corp.example", 0s)});
    rig.ingest().post(tenant.caller.tenant, {sign_in("a-2", "k@corp.example", 24h * 20)});
    pass(database, rig, tenant, 24h * 21);
    CHECK(near_misses(database, tenant).items.size() == 2);
    pass(database, rig, tenant, 24h * 33);
    CHECK(near_misses(database, tenant).items.size() == 1);
    CHECK(database.ask("SELECT count(*) FROM near_miss") == "1");
}

TEST_CASE("the engines answer while they lead, one question after the other, and nobody waits for ever") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    LaneRig rig{database};
    rig.ingest().start();
    rig.start_worker();
    REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    rig.ingest().post(tenant.caller.tenant, {sign_in("a-1", "j@corp.example", 0s), sign_in("a-2", "k@corp.example", 10min)});
    REQUIRE(rig.settle());
    const auto found = partials(rig.worker(), tenant.caller.tenant);
    REQUIRE(found);
    REQUIRE(found->chains.size() == 2);
    CHECK(found->chains[0].entity.value == "k@corp.example");
    CHECK(found->chains[0].missing == std::vector<std::string>{"persistence"});

    std::atomic<int> answered{0};
    std::vector<std::thread> askers;
    for (int i = 0; i < 4; ++i) {
        askers.emplace_back([&] {
            for (int j = 0; j < 20; ++j) answered += partials(rig.worker(), tenant.caller.tenant) ? 1 : 0;
        });
    }
    for (auto& asker : askers) asker.join();
    CHECK(answered == 80);  // no more ask at once than may wait

    rig.worker().stop();
    CHECK_FALSE(rig.worker().ask([](const server::LaneSet&) { FAIL("nobody may answer"); }, 10ms));
}
