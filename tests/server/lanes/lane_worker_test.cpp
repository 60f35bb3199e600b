#include "server/lanes/clock_ticks.hpp"
#include "server/pg/control_log.hpp"
#include "server/pg/incident_store.hpp"
#include "tests/server/lanes/lane_rig.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <thread>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using server::LeaderStatus;

namespace {

/// Requests of a day with many accounts: most do nothing, some follow the pattern, some come late, some signals are large and some small.
std::vector<std::vector<BatchBuilder::Item>> busy_day(unsigned seed, int requests) {
    std::mt19937 random{seed};
    std::vector<std::vector<BatchBuilder::Item>> list;
    int serial = 0;
    for (int r = 0; r < requests; ++r) {
        std::vector<BatchBuilder::Item> items;
        const auto count = 1 + static_cast<int>(random() % 30);
        for (int i = 0; i < count; ++i) {
            const auto id = fmt::format("s-{}", ++serial);
            const auto account = fmt::format("user{}@corp.example", random() % 40);
            const auto after = 10min * r + std::chrono::seconds{random() % 3'600} - (random() % 20 == 0 ? 8h : 0h);
            auto made = random() % 2 == 0 ? sign_in(id, account, after) : inbox_rule(id, account, after);
            if (random() % 3 != 0) made.name = "routine";
            made.attributes = fmt::format(R"({{"padding":"{}"}})", std::string(random() % 4 == 0 ? random() % 1'500 : random() % 30, 'x'));
            items.push_back(std::move(made));
        }
        list.push_back(std::move(items));
    }
    return list;
}

}  // namespace

TEST_CASE("a matched pattern becomes a finding and an incident with its evidence as whole signals") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    LaneRig rig{database};
    rig.ingest().start();
    rig.start_worker();
    REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    CHECK(summary(rig.ingest().post(tenant.caller.tenant, {sign_in("a-1", "j@corp.example", 0s), inbox_rule("a-2", "j@corp.example", 30min)})) == "aa");
    REQUIRE(rig.settle());

    server::pg::IncidentStore incidents{database.api()};
    const auto page = incidents.page(tenant.caller, {}, {});
    REQUIRE(page.has_value());
    REQUIRE(page->items.size() == 1);
    const auto& incident = page->items[0];
    CHECK(incident.signal_count == 2);
    CHECK(incident.created == story_begin);
    const auto evidence = incidents.evidence(tenant.caller, incident.number, {});
    REQUIRE(evidence.has_value());
    REQUIRE(evidence->page.items.size() == 2);
    const auto& first = evidence->page.items[0];
    CHECK(first.stage == "access");
    CHECK(first.signal.signal.id == "a-1");
    CHECK(first.signal.title == "Risky sign-in");
    CHECK(first.signal.attributes_json == R"({"country":"RO"})");
    const std::vector<engine::EntityMention> entities{{"account", "j@corp.example", "actor", true}, {"ip", "203.0.113.7", "source", true}};
    CHECK(first.signal.signal.entities == entities);
    CHECK(evidence->page.items[1].stage == "persistence");
    const auto activity = incidents.activity(tenant.caller, incident.number, {}, {});
    REQUIRE(activity.has_value());
    CHECK_FALSE(activity->items.empty());
    CHECK(rig.ingest().watermarks.of(tenant.caller.tenant).has_value());
    CHECK(rig.worker().status().text() == "leading");
}

TEST_CASE("restarts at any point give the same results as a run without") {
    constexpr unsigned seed = 11;
    const auto requests = busy_day(seed, 40);
    std::string undisturbed;
    {
        TestDatabase database;
        const auto tenant = database.add_tenant("first");
        LaneRig rig{database};
        rig.ingest().start();
        rig.start_worker();
        for (std::size_t r = 0; r < requests.size(); ++r) {
            rig.ingest().set_clock(story_begin + 10min * (static_cast<int>(r) + 6));
            REQUIRE(summary(rig.ingest().post(tenant.caller.tenant, requests[r])).find_first_not_of('a') == std::string::npos);
        }
        REQUIRE(rig.settle());
        undisturbed = result_dump(database);
    }
    CHECK(undisturbed.find("incident ") != std::string::npos);
    CHECK(undisturbed.find("late ") != std::string::npos);

    for (unsigned run = 0; run < 3; ++run) {
        CAPTURE(run);
        std::mt19937 random{run};
        TestDatabase database;
        const auto tenant = database.add_tenant("first");
        server::LaneWorkerOptions options;
        options.chunk_entries = 1 + run * 20;  // other transactions, too
        LaneRig rig{database, options};
        rig.ingest().start();
        rig.start_worker();
        for (std::size_t r = 0; r < requests.size(); ++r) {
            rig.ingest().set_clock(story_begin + 10min * (static_cast<int>(r) + 6));
            REQUIRE(summary(rig.ingest().post(tenant.caller.tenant, requests[r])).find_first_not_of('a') == std::string::npos);
            if (random() % 5 == 0) rig.restart_worker();
        }
        REQUIRE(rig.settle());
        CHECK(result_dump(database) == undisturbed);
    }
}

TEST_CASE("a worker whose database connections are killed goes on with the same results") {
    const auto requests = busy_day(23, 25);
    const auto run = [&](bool disturbed) {
        TestDatabase database;
        const auto tenant = database.add_tenant("first");
        LaneRig rig{database};
        rig.ingest().start();
        rig.start_worker();
        std::mt19937 random{5};
        for (std::size_t r = 0; r < requests.size(); ++r) {
            rig.ingest().set_clock(story_begin + 10min * (static_cast<int>(r) + 6));
            REQUIRE(summary(rig.ingest().post(tenant.caller.tenant, requests[r])).find_first_not_of('a') == std::string::npos);
            if (!disturbed) continue;
            std::this_thread::sleep_for(std::chrono::microseconds{random() % 5'000});
            database.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND backend_type = 'client backend' AND (query LIKE '%lane%' OR query LIKE '%next_position FROM log%' OR query LIKE '%json_to_recordset%')");
        }
        REQUIRE(rig.settle());
        CHECK(rig.worker().status().state != LeaderStatus::State::stopped);
        return result_dump(database);
    };
    CHECK(run(true) == run(false));
}

TEST_CASE("groups that are not handed over are read from the store") {
    const auto requests = busy_day(31, 20);
    std::string dumps[2];
    for (const bool handed : {true, false}) {
        TestDatabase database;
        const auto tenant = database.add_tenant("first");
        LaneRig rig{database};
        rig.ingest().start();
        rig.start_worker();
        REQUIRE(rig.wait_for(LeaderStatus::State::leading));
        for (std::size_t r = 0; r < requests.size(); ++r) {
            rig.ingest().set_clock(story_begin + 10min * (static_cast<int>(r) + 6));
            if (!handed) rig.ingest().hand_off.close();
            REQUIRE(summary(rig.ingest().post(tenant.caller.tenant, requests[r])).find_first_not_of('a') == std::string::npos);
            if (!handed && r % 3 == 0) rig.ingest().hand_off.open();
        }
        REQUIRE(rig.settle());
        if (!handed) CHECK(rig.worker().status().read_back > 0);
        dumps[handed ? 0 : 1] = result_dump(database);
    }
    CHECK(dumps[0] == dumps[1]);
}

TEST_CASE("a leader whose epoch was taken commits nothing more under it and begins anew") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    LaneRig rig{database};
    rig.ingest().start();
    rig.start_worker();
    REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    CHECK(summary(rig.ingest().post(tenant.caller.tenant, {sign_in("a-1", "j@corp.example", 0s)})) == "a");
    REQUIRE(rig.settle());
    // The other one must be seen to have led: only the epoch refuses what this one applies next.
    database.run("UPDATE lane SET epoch = epoch + 1, owner = 'somebody else'");
    CHECK(summary(rig.ingest().post(tenant.caller.tenant, {inbox_rule("a-2", "j@corp.example", 1min)})) == "a");
    REQUIRE(rig.settle());
    CHECK(database.ask("SELECT min(epoch) || ' ' || max(epoch) || ' ' || min(owner) FROM lane") == "3 3 test");
    CHECK(rig.worker().status().applied == 4);  // two entries, and both again
    CHECK(database.ask("SELECT count(*) FROM finding WHERE state = 'open'") == "1");
    CHECK(summary(rig.ingest().post(tenant.caller.tenant, {sign_in("a-3", "j@corp.example", 0s)})) == "a");
    REQUIRE(rig.settle());
    CHECK(rig.worker().ready());
}

TEST_CASE("control entries are applied in their place, and an edit answers with its effect") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    LaneRig rig{database};
    rig.ingest().start();
    rig.start_worker();
    REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    CHECK(summary(rig.ingest().post(tenant.caller.tenant, {sign_in("a-1", "j@corp.example", 0s), inbox_rule("a-2", "j@corp.example", 30min)})) == "aa");
    server::pg::PgControlLog log{database.api(), rig.progress(), [&] { rig.worker().nudge(); }};
    REQUIRE(log.watermark(tenant.caller, {story_begin + 6h, false}).has_value());
    CHECK(summary(rig.ingest().post(tenant.caller.tenant, {sign_in("a-3", "late@corp.example", 5h)})) == "a");
    REQUIRE(rig.settle());
    CHECK(database.ask("SELECT watermark = TIMESTAMPTZ '2026-03-06 04:00:00+00' FROM tenant_status") == "t");
    CHECK(database.ask("SELECT count(*) FROM late_signal") == "1");

    engine::IncidentEdit edit;
    edit.number = engine::IncidentNumber{1};
    edit.owner = "kim";
    edit.status = engine::IncidentStatus::active;
    edit.actor = tenant.caller.key_id;
    const auto edited = log.edit(tenant.caller, edit, std::nullopt);
    REQUIRE(edited.has_value());
    CHECK(edited->owner == "kim");
    CHECK(edited->status == engine::IncidentStatus::active);

    const auto before = result_dump(database);
    rig.restart_worker();
    REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    CHECK(summary(rig.ingest().post(tenant.caller.tenant, {sign_in("a-4", "other@corp.example", 7h)})) == "a");
    REQUIRE(rig.settle());
    CHECK(result_dump(database) == before);
}

TEST_CASE("a live tenant gets a tick a minute, one with held or quiet watermark none") {
    server::ClockTicks ticks;
    engine::TenantStatus status;
    status.tenant = engine::TenantId{1};
    status.lateness = 1h;
    status.newest = story_begin;
    status.watermark = story_begin - 1h;
    ticks.note(status);
    CHECK(ticks.due(story_begin + 1min).size() == 1);
    CHECK(ticks.due(story_begin).empty());  // time alone would not move it
    CHECK(ticks.due(story_begin + 61min).empty());
    ticks.note_tick(status.tenant, story_begin + 1min);
    CHECK(ticks.due(story_begin + 90s).empty());
    CHECK(ticks.due(story_begin + 2min).size() == 1);
    status.held = true;
    ticks.note(status);
    CHECK(ticks.due(story_begin + 2min).empty());
}

TEST_CASE("a log whose rows are not what its batches say stops the worker with the place") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    LaneRig rig{database};
    rig.ingest().start();
    CHECK(summary(rig.ingest().post(tenant.caller.tenant, {sign_in("a-1", "j@corp.example", 0s), inbox_rule("a-2", "j@corp.example", 30min)})) == "aa");
    database.run("DELETE FROM signal WHERE source_id = 'a-2'");
    rig.start_worker();
    REQUIRE(rig.wait_for(LeaderStatus::State::stopped));
    CHECK(rig.worker().status().reason == "the log names 2 rows of signal_d20260305 in positions 1..2, but 1 are there");
}
