#include "server/ingest/pq_connection.hpp"
#include "server/pg/signal_store.hpp"
#include "tests/support/ingest_rig.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <thread>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;

namespace {

std::map<std::string, api::ports::StoredSignalRow> stored(TestDatabase& database, const TestTenant& tenant) {
    server::pg::SignalStore store{database.api()};
    std::map<std::string, api::ports::StoredSignalRow> rows;
    api::ports::PageRequest request{500, ""};
    do {
        auto page = store.page(tenant.caller, {}, request);
        REQUIRE(page.has_value());
        for (auto& row : page->items) {
            auto id = row.signal.id;
            REQUIRE(rows.emplace(std::move(id), std::move(row)).second);
        }
        request.after = page->next.value_or("");
    } while (!request.after.empty());
    return rows;
}

/// Positions have no holes, and the batch rows say where every row is.
void check_log(TestDatabase& database) {
    CHECK(database.ask("SELECT count(*) = count(DISTINCT position) FROM signal") == "t");
    CHECK(database.ask("SELECT coalesce(bool_and(last - first + 1 = (SELECT sum(n) FROM unnest(leaf_rows) AS n)), true) FROM batch WHERE NOT control") == "t");
    CHECK(database.ask("SELECT count(*) FROM batch b JOIN batch c ON c.first <= b.last AND b.first <= c.last AND (b.lane, b.first) <> (c.lane, c.first)") ==
          "0");
    CHECK(database.ask("SELECT count(*) FROM signal s JOIN tenant t ON t.id = s.tenant "
                       "WHERE NOT EXISTS (SELECT FROM batch b WHERE b.lane = t.lane AND s.position BETWEEN b.first AND b.last "
                       "AND leaf_day((s.time AT TIME ZONE 'UTC')::date) - DATE '1970-01-01' = ANY (b.leaf_days))") == "0");
    CHECK(database.ask("SELECT coalesce(max(position), 0) < (SELECT next_position FROM log) FROM signal") == "t");
}

}  // namespace

TEST_CASE("an accepted signal is readable with the content it was posted with") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    IngestRig rig{database};
    rig.start();
    auto posted = item("aad-7f3");
    posted.source = "entra_id";
    posted.domain = "identity";
    posted.name = "unfamiliar_location_signin";
    posted.title = "Sign-in from an unfamiliar location";
    posted.tactics = {"TA0001"};
    posted.techniques = {"T1078", "T1078.004"};
    posted.confidence = 0.35;
    posted.count = 3;
    posted.severity = engine::Severity::high;
    posted.entities = {{"account", "j.morrison@ne.example", "actor", true}, {"ip", "203.0.113.7", "source", true}, {"account", "root", "house \"pet\"", false}};
    posted.attributes = R"({"country":"RO","risk":{"level":"medium"}})";
    posted.shown = R"({"values":{"0":"J.Morrison@NE.example"}})";
    posted.aliases = R"({"0":[{"kind":"account","value":"NE\\jm"}]})";
    CHECK(summary(rig.post(tenant.caller.tenant, {posted})) == "a");

    const auto rows = stored(database, tenant);
    REQUIRE(rows.size() == 1);
    const auto& row = rows.begin()->second;
    CHECK(row.aliases_json == posted.aliases);
    CHECK(row.signal.source == "entra_id");
    CHECK(row.signal.id == "aad-7f3");
    CHECK(row.signal.time == posted.time);
    CHECK(row.signal.domain == "identity");
    CHECK(row.signal.name == "unfamiliar_location_signin");
    CHECK(row.title == posted.title);
    CHECK(row.signal.tactics == posted.tactics);
    CHECK(row.signal.techniques == posted.techniques);
    CHECK(row.signal.severity == engine::Severity::high);
    CHECK(row.signal.confidence == 0.35);
    CHECK(row.signal.count == 3);
    const std::vector<engine::EntityMention> entities{
        {"account", "j.morrison@ne.example", "actor", true}, {"ip", "203.0.113.7", "source", true}, {"account", "root", "house \"pet\"", false}};
    CHECK(row.signal.entities == entities);
    CHECK(row.attributes_json == posted.attributes);
    CHECK(row.shown_json == R"({"0":"J.Morrison@NE.example"})");
    CHECK(row.received == story_begin);
    CHECK_FALSE(row.late);
    check_log(database);
}

TEST_CASE("a repeat is a duplicate, other content or another time is a conflict, and the first content stays") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    IngestRig rig{database};
    rig.start();
    auto other_content = item("one");
    other_content.confidence = 0.9;
    const auto other_time = item("one", 26h);

    CHECK(summary(rig.post(tenant.caller.tenant, {item("one")})) == "a");
    CHECK(summary(rig.post(tenant.caller.tenant, {item("one")})) == "d");
    const auto conflict = rig.post(tenant.caller.tenant, {other_content, other_time, item("two")});
    CHECK(summary(conflict) == "cca");
    REQUIRE(conflict.items[0].errors.size() == 1);
    CHECK(conflict.items[0].errors[0].code == engine::FaultCode::conflict);

    CHECK(summary(rig.post(tenant.caller.tenant, {item("three"), item("three"), item("three", 1s)})) == "adc");
    const auto rows = stored(database, tenant);
    CHECK(rows.size() == 3);
    CHECK(rows.at("one").signal.confidence == 0.5);
    const auto status = rig.committer().status();
    CHECK(status.accepted == 3);
    CHECK(status.duplicates == 2);
    CHECK(status.conflicts == 3);
    check_log(database);
}

TEST_CASE("the same source and id are different signals in different tenants") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    IngestRig rig{database};
    rig.start();
    CHECK(summary(rig.post(first.caller.tenant, {item("one")})) == "a");
    auto other = item("one");
    other.confidence = 0.25;
    CHECK(summary(rig.post(second.caller.tenant, {other})) == "a");
    CHECK(stored(database, first).at("one").signal.confidence == 0.5);
    CHECK(stored(database, second).at("one").signal.confidence == 0.25);
    check_log(database);
}

TEST_CASE("requests of several tenants and days that wait together share a transaction") {
    TestDatabase database;
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    IngestRig rig{database};
    std::vector<std::future<api::ingest::CommitOutcome>> outcomes;
    for (int r = 0; r < 6; ++r) {  // before the writer starts: all of them wait
        BatchBuilder builder;
        for (int i = 0; i < 300; ++i) builder.add(item(fmt::format("r{}-{}", r, i), 24h * (i % 5) + std::chrono::microseconds{i}));
        outcomes.push_back(rig.submit(r % 2 == 0 ? first.caller.tenant : second.caller.tenant, builder.build()));
    }
    rig.start();
    for (auto& outcome : outcomes) CHECK(summary(outcome.get()) == std::string(300, 'a'));
    CHECK(rig.committer().status().groups == 1);
    CHECK(stored(database, first).size() == 900);
    CHECK(stored(database, second).size() == 900);
    CHECK(database.ask("SELECT count(*) FROM batch") == "2");  // one a lane
    CHECK(database.ask("SELECT bool_and(cardinality(leaf_days) = 5) FROM batch") == "t");
    check_log(database);
}

TEST_CASE("keys that the dedup set does not know are found in the store") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    IngestRig other{database};
    other.start();
    CHECK(summary(other.post(tenant.caller.tenant, {item("warm-up")})) == "a");  // its set is loaded now
    IngestRig rig{database};
    rig.start();
    CHECK(summary(rig.post(tenant.caller.tenant, {item("one"), item("two"), item("far", 72h)})) == "aaa");

    auto other_content = item("two");
    other_content.title = "Something else";
    CHECK(summary(other.post(tenant.caller.tenant, {item("new"), item("one"), other_content, item("far", 72h), item("new")})) == "adcdd");
    CHECK(other.committer().status().key_collisions == 1);
    CHECK(summary(other.post(tenant.caller.tenant, {item("one"), other_content})) == "dc");  // known now
    CHECK(other.committer().status().key_collisions == 1);
    CHECK(stored(database, tenant).size() == 5);
    check_log(database);
}

TEST_CASE("positions become visible with their rows, and a signal is acknowledged when they are") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    IngestRig rig{database};
    rig.start();
    CHECK(summary(rig.post(tenant.caller.tenant, {item("first")})) == "a");
    const auto end = database.ask("SELECT next_position FROM log");
    server::PqConnection obstacle{database.superuser().text()};
    obstacle.run("BEGIN; LOCK TABLE batch IN SHARE MODE");  // the last thing that a group writes
    BatchBuilder builder;
    auto waiting = rig.submit(tenant.caller.tenant, builder.add(item("second")).build());
    while (database.ask("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'batch'::regclass") != "1") std::this_thread::sleep_for(1ms);
    CHECK(database.ask("SELECT next_position FROM log") == end);
    CHECK(database.ask("SELECT count(*) FROM signal") == "1");
    CHECK(waiting.wait_for(0s) == std::future_status::timeout);
    obstacle.run("COMMIT");
    CHECK(summary(waiting.get()) == "a");
    CHECK(database.ask("SELECT count(*) FROM signal") == "2");
    check_log(database);
}

TEST_CASE("after a restart repeats are found again, also under another time") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    {
        IngestRig rig{database};
        rig.start();
        CHECK(summary(rig.post(tenant.caller.tenant, {item("one"), item("old", -24h * 9000)})) == "aa");
    }
    IngestRig rig{database};
    rig.start();
    CHECK(summary(rig.post(tenant.caller.tenant, {item("one"), item("one", 48h), item("old", -24h * 9000), item("old", 1s), item("new")})) == "dcdca");
    CHECK(rig.committer().status().key_collisions == 0);
    check_log(database);
}

TEST_CASE("the committer knows the key of what it stored, also from before a restart") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    const auto other = database.add_tenant("second");
    for (const bool is_restart : {false, true}) {
        CAPTURE(is_restart);
        IngestRig rig{database};
        CHECK_FALSE(rig.committer().key_of(tenant.caller.tenant, "edr", "one").has_value());  // not connected yet
        rig.start();
        CHECK(summary(rig.post(tenant.caller.tenant, {item("one")})) == (is_restart ? "d" : "a"));
        const auto key = rig.committer().key_of(tenant.caller.tenant, "edr", "one");
        REQUIRE(key.has_value());
        CHECK(fmt::format("{:016x}{:016x}", key->high, key->low) == database.ask("SELECT replace(key::text, '-', '') FROM signal"));
        CHECK_FALSE(rig.committer().key_of(other.caller.tenant, "edr", "one").has_value());
        CHECK_FALSE(rig.committer().key_of(tenant.caller.tenant, "edr", "two").has_value());
    }
}

TEST_CASE("a signal older than the published watermark is reported late") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    IngestRig rig{database};
    rig.start();
    rig.watermarks.publish(tenant.caller.tenant, story_begin);
    const auto outcome = rig.post(tenant.caller.tenant, {item("before", -1us), item("at")});
    REQUIRE(summary(outcome) == "aa");
    CHECK(outcome.items[0].late);
    CHECK_FALSE(outcome.items[1].late);
    CHECK(rig.committer().status().late == 1);
}

TEST_CASE("a request opens at most 64 new days; the rest of it is stored") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    IngestRig rig{database};
    rig.start();
    std::vector<BatchBuilder::Item> items;
    for (int day = 0; day < 70; ++day) items.push_back(item(fmt::format("day-{}", day), -24h * (day + 10)));
    auto ancient = item("ancient");
    ancient.time = engine::Timestamp{std::chrono::sys_days{std::chrono::year{1989} / 12 / 31}};
    items.push_back(ancient);
    const auto outcome = rig.post(tenant.caller.tenant, items);
    CHECK(summary(outcome) == std::string(64, 'a') + std::string(7, 'r'));
    CHECK(outcome.items[64].errors.at(0).code == engine::FaultCode::too_large);
    CHECK(outcome.items[70].errors.at(0).code == engine::FaultCode::out_of_range);
    CHECK(summary(rig.post(tenant.caller.tenant, items)) == std::string(64, 'd') + std::string(6, 'a') + "r");
    check_log(database);
}

TEST_CASE("titles beyond the dictionary of a name are kept in the row") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    IngestRig rig{database};
    rig.start();
    std::vector<BatchBuilder::Item> items;
    for (int i = 0; i < 70; ++i) {
        items.push_back(item(fmt::format("id-{}", i)));
        items.back().title = fmt::format("Title {}", i);
    }
    CHECK(summary(rig.post(tenant.caller.tenant, {items.begin(), items.begin() + 30})) == std::string(30, 'a'));
    rig.stop();
    IngestRig again{database};  // whose maps are empty
    again.start();
    CHECK(summary(again.post(tenant.caller.tenant, {items.begin() + 20, items.end()})) == std::string(10, 'd') + std::string(40, 'a'));
    CHECK(database.ask("SELECT count(*) FROM title") == "64");
    CHECK(database.ask("SELECT count(*) FROM signal WHERE title IS NULL AND shown IS NOT NULL") == "6");
    for (const auto& [id, row] : stored(database, tenant)) CHECK(row.title == "Title " + id.substr(3));
}

TEST_CASE("what does not fit the queue is refused at once, and stored later when sent again") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    server::CommitterOptions options;
    options.queue_items = 3;
    IngestRig rig{database, options};
    auto waiting = rig.submit(tenant.caller.tenant, BatchBuilder{}.add(item("one")).add(item("two")).build());
    auto refused = rig.submit(tenant.caller.tenant, BatchBuilder{}.add(item("three")).add(item("four")).build());
    REQUIRE(refused.wait_for(0s) == std::future_status::ready);
    CHECK(summary(refused.get()) == "overloaded");
    CHECK(waiting.wait_for(0s) == std::future_status::timeout);
    rig.start();
    CHECK(summary(waiting.get()) == "aa");
    CHECK(summary(rig.post(tenant.caller.tenant, {item("three"), item("four")})) == "aa");
    CHECK(rig.committer().status().overloaded == 1);
}

TEST_CASE("stopping finishes what waits") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    IngestRig rig{database};
    rig.start();
    std::vector<std::future<api::ingest::CommitOutcome>> outcomes;
    for (int i = 0; i < 50; ++i) outcomes.push_back(rig.submit(tenant.caller.tenant, BatchBuilder{}.add(item(fmt::format("id-{}", i))).build()));
    rig.stop();
    for (auto& outcome : outcomes) CHECK(summary(outcome.get()) == "a");
    CHECK(summary(rig.post(tenant.caller.tenant, {item("after")})) == "overloaded");
    rig.stop();
}

TEST_CASE("killed back-ends never make a false promise, and ingest recovers by itself") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    IngestRig rig{database};
    rig.start();
    CHECK(summary(rig.post(tenant.caller.tenant, {item("warm-up")})) == "a");

    std::map<std::string, int> states;
    std::set<std::string> promised{"warm-up"};
    std::mt19937 random{7};
    for (int round = 0; round < 40; ++round) {
        std::vector<std::future<api::ingest::CommitOutcome>> outcomes;
        for (int r = 0; r < 4; ++r) {
            BatchBuilder builder;
            for (int i = 0; i < 400; ++i) builder.add(item(fmt::format("{}-{}-{}", round, r, i), std::chrono::seconds{round}));
            outcomes.push_back(rig.submit(tenant.caller.tenant, builder.build()));
        }
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 15'000});  // somewhere within the transaction, another place each round
        database.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND query NOT LIKE '%ensure_leaf%'");
        for (std::size_t r = 0; r < outcomes.size(); ++r) {
            const auto outcome = outcomes[r].get();
            ++states[outcome.state == api::ingest::CommitOutcome::State::committed ? "committed" : summary(outcome)];
            if (outcome.state != api::ingest::CommitOutcome::State::committed) continue;
            CHECK(summary(outcome) == std::string(400, 'a'));
            for (int i = 0; i < 400; ++i) promised.insert(fmt::format("{}-{}-{}", round, r, i));
        }
        // Ingest comes back without help.
        std::string again;
        const auto give_up = std::chrono::steady_clock::now() + 20s;
        do again = summary(rig.post(tenant.caller.tenant, {item(fmt::format("probe-{}", round))}));
        while (again != "a" && again != "d" && std::chrono::steady_clock::now() < give_up);
        CHECK((again == "a" || again == "d"));
    }
    CAPTURE(states["committed"]);
    CAPTURE(states["unavailable"]);
    CAPTURE(states["unknown"]);
    CHECK(states["committed"] > 0);
    CHECK(states["unavailable"] + states["unknown"] > 0);
    const auto rows = stored(database, tenant);
    for (const auto& id : promised) {
        CAPTURE(id);
        CHECK(rows.contains(id));
    }
    // Sent again, everything is stored exactly once.
    for (int round = 0; round < 40; ++round) {
        std::vector<BatchBuilder::Item> items;
        for (int r = 0; r < 4; ++r) {
            for (int i = 0; i < 400; ++i) items.push_back(item(fmt::format("{}-{}-{}", round, r, i), std::chrono::seconds{round}));
        }
        const auto outcome = summary(rig.post(tenant.caller.tenant, items));
        CHECK(outcome.find_first_not_of("ad") == std::string::npos);
    }
    CHECK(database.ask("SELECT count(*) FROM signal WHERE source_id LIKE '%-%-%'") == "64000");
    check_log(database);
}

namespace {

bool comes_true(const std::function<bool()>& what) {
    const auto give_up = std::chrono::steady_clock::now() + 10s;
    while (!what()) {
        if (std::chrono::steady_clock::now() > give_up) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

}  // namespace

TEST_CASE("without room on the database's disk nothing is tried, and ingest goes on by itself when there is room again") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    std::atomic<bool> is_short{false};
    server::CommitterOptions options;
    options.probe_round = 20ms;
    options.shortage = [&is_short] { return is_short ? std::optional<std::string>{"1 MiB is left"} : std::nullopt; };
    IngestRig rig{database, options};
    rig.start();
    CHECK(summary(rig.post(tenant.caller.tenant, {item("a")})) == "a");

    is_short = true;
    CHECK(summary(rig.post(tenant.caller.tenant, {item("b")})) == "storage_full");
    const auto full = rig.committer().status();
    CHECK(full.storage_full == "1 MiB is left");
    CHECK(full.text() == "storage_full: 1 MiB is left");
    CHECK(full.without_room == 1);
    CHECK(full.unavailable == 1);
    CHECK(database.ask("SELECT next_position - 1 = (SELECT max(position) FROM signal) FROM log") == "t");

    is_short = false;
    CHECK(comes_true([&] { return rig.committer().status().text() == "running"; }));  // though nobody asks
    CHECK(summary(rig.post(tenant.caller.tenant, {item("b")})) == "a");
    CHECK(stored(database, tenant).size() == 2);
}

TEST_CASE("what the database fails on a live connection is answered as failed and counted, nothing is swallowed") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    const auto other = database.add_tenant("second");
    IngestRig rig{database};
    rig.start();
    SUBCASE("the look-up of a tenant") {
        database.run("REVOKE SELECT ON tenant FROM catenary_ingest");
        CHECK(summary(rig.post(tenant.caller.tenant, {item("a")})) == "failed");
        CHECK(rig.committer().status().failures == 1);
        database.run("GRANT SELECT ON tenant TO catenary_ingest");
    }
    SUBCASE("the leaves of coming days") {
        CHECK(summary(rig.post(other.caller.tenant, {item("x")})) == "a");
        database.run("REVOKE EXECUTE ON FUNCTION ensure_leaf(date) FROM catenary_ingest, PUBLIC");
        rig.set_clock(story_begin + 24h * 10);
        CHECK(summary(rig.post(tenant.caller.tenant, {item("a")})) == "failed");
        CHECK(rig.committer().status().failures >= 1);
        database.run("GRANT EXECUTE ON FUNCTION ensure_leaf(date) TO catenary_ingest");
    }
    SUBCASE("the group itself") {
        database.run("REVOKE INSERT ON batch FROM catenary_ingest");
        CHECK(summary(rig.post(tenant.caller.tenant, {item("a")})) == "failed");
        CHECK(rig.committer().status().failures == 1);
        database.run("GRANT INSERT ON batch TO catenary_ingest");
    }
    CHECK(rig.committer().status().text() == "running");
    CHECK(summary(rig.post(tenant.caller.tenant, {item("a")})) == "a");
    check_log(database);
}
