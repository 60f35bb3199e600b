#include "server/lanes/pq_snapshot_store.hpp"
#include "server/pg/pattern_version_store.hpp"
#include "tests/server/lanes/saved_story.hpp"

#include <doctest/doctest.h>

#include <future>
#include <random>
#include <thread>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using server::LeaderStatus;

TEST_CASE("a worker that starts from a snapshot applies the tail only and gives the same results") {
    HalfSaved half{20};
    const auto status = half.restarted();
    CHECK(status.snapshots.started_from.value() == half.position);
    CHECK(status.snapshots.refused == 0);
    CHECK(status.replayed == half.tail());
    CHECK(status.applied == half.tail());
    CHECK(status.snapshots.bytes > 0);
    CHECK(half.rig.ingest().watermarks.of(half.tenant.caller.tenant).has_value());
    post(half.rig, half.tenant, 20, 26);
    REQUIRE(half.rig.settle());
    const std::string expected = undisturbed();
    CHECK(expected.find("incident ") != std::string::npos);
    CHECK(result_dump(half.database) == expected);
}

TEST_CASE("stops in the middle of groups, with a snapshot as often as can be, lose nothing") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    auto options = eager();
    options.chunk_entries = 1;
    LaneRig rig{database, options};
    rig.ingest().start();
    rig.start_worker();
    REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    std::mt19937 random{3};
    constexpr int rounds = 30;
    constexpr int requests_at_once = 20;
    for (int round = 0; round < rounds; ++round) {
        std::vector<std::future<api::ingest::CommitOutcome>> answers;
        for (int i = 0; i < requests_at_once; ++i) {
            const auto account = fmt::format("user{}-{}@corp.example", round, i);
            BatchBuilder builder;
            builder.add(sign_in("in-" + account, account, 1min));
            builder.add(inbox_rule("rule-" + account, account, 2min));
            answers.push_back(rig.ingest().submit(tenant.caller.tenant, builder.build()));
        }
        for (auto& answer : answers) CHECK(summary(answer.get()) == "aa");
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 60'000});
        rig.restart_worker();
        REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    }
    REQUIRE(rig.settle());
    CHECK(database.ask("SELECT count(*) FROM finding WHERE state = 'open'") == std::to_string(rounds * requests_at_once));
    CHECK(rig.worker().status().snapshots.started_from.value() > 0);
}

TEST_CASE("what is behind a snapshot stays known without a tail: watermark and sources") {
    HalfSaved half{12};
    server::Watermarks watermarks;
    server::SourceRegistry sources;
    server::HandOff hand_off{1U << 20U};
    server::pg::LaneProgress progress;
    server::LaneWorker other{{.dsn = half.database.dsn(server::pg::Role::lane).text(), .owner = "other", .follow_poll = 20ms},
                             two_stage_catalogue(),
                             [] { return story_begin + std::chrono::hours{24 * 365}; },
                             watermarks,
                             sources,
                             hand_off,
                             progress};
    other.start();
    REQUIRE(wait_until([&] { return other.status().snapshots.started_from.value() == half.position && !sources.of(half.tenant.caller.tenant).empty(); }));
    CHECK(other.status().applied == 0);
    CHECK(watermarks.of(half.tenant.caller.tenant) == half.rig.ingest().watermarks.of(half.tenant.caller.tenant));
    const auto heard = sources.of(half.tenant.caller.tenant);
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].source == "entra_id");
    CHECK(heard[0].last_event == story_begin + 55min);
    CHECK(heard[0].last_received == story_begin + 60min);
    other.stop();
}

TEST_CASE("a damaged snapshot is passed over for the one before, and the log itself comes last") {
    struct Damage {
        const char* name;
        const char* sql;
    };
    const std::vector<Damage> damages{
        {"a chunk is gone", "DELETE FROM snapshot_chunk WHERE position = {0} AND number = 1"},
        {"a chunk is another", "UPDATE snapshot_chunk SET content = '\\x0102' WHERE position = {0} AND number = 0"},
        {"the checksum is another", "UPDATE snapshot SET sha256 = '\\x00' WHERE position = {0}"},
        {"it is of another version", "UPDATE snapshot SET engine = '0.0.1/0' WHERE position = {0}"},
        {"other patterns shipped", "UPDATE snapshot SET catalogue = 'none' WHERE position = {0}"},
        {"a lane is missing", "UPDATE snapshot SET lanes = 2 WHERE position = {0}"},
        {"it is ahead of the results", "UPDATE snapshot SET done = 1000000 WHERE position = {0}"},
    };
    const std::string expected = undisturbed();
    HalfSaved half;
    const auto previous = std::stoll(half.database.ask(fmt::format("SELECT max(position) FROM snapshot WHERE position < {}", half.position)));
    half.database.run("CREATE TABLE kept AS SELECT * FROM snapshot; CREATE TABLE kept_chunk AS SELECT * FROM snapshot_chunk");
    for (const auto& [name, sql] : damages) {
        CAPTURE(name);
        half.database.run(fmt::format(fmt::runtime(sql), half.position));
        const auto status = half.restarted();
        CHECK(status.snapshots.started_from.value() == previous);
        CHECK(status.snapshots.refused == 1);
        half.database.run("DELETE FROM snapshot; INSERT INTO snapshot SELECT * FROM kept; INSERT INTO snapshot_chunk SELECT * FROM kept_chunk");
    }
    half.database.run("UPDATE snapshot SET sha256 = '\\x00'");
    auto status = half.restarted();
    CHECK(status.snapshots.started_from.value() == 0);
    CHECK(status.snapshots.refused == std::stoll(half.database.ask("SELECT count(DISTINCT position) FROM snapshot")));
    CHECK(status.applied == std::stoll(half.database.ask("SELECT count(*) FROM signal")));
    half.database.run("DELETE FROM snapshot");
    status = half.restarted();
    CHECK(status.snapshots.refused == 0);
    CHECK(status.applied == std::stoll(half.database.ask("SELECT count(*) FROM signal")));
    CHECK(result_dump(half.database) == expected);
}

TEST_CASE("a connection killed between two chunks leaves nothing of the snapshot behind") {
    TestDatabase database;
    database.run(R"(
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
            IF NEW.number = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER die BEFORE INSERT ON snapshot_chunk FOR EACH ROW EXECUTE FUNCTION die())");
    const auto tenant = database.add_tenant("first");
    auto options = eager();
    options.snapshot_chunk_bytes = 100;  // even the first state has two
    LaneRig rig{database, options};
    rig.ingest().start();
    rig.start_worker();
    post(rig, tenant, 0, 26);
    REQUIRE(rig.settle());
    REQUIRE(wait_until([&] { return rig.worker().status().snapshots.failed > 0; }));
    CHECK(rig.worker().status().snapshots.stored == 0);
    CHECK(rig.worker().status().state == LeaderStatus::State::leading);
    CHECK(database.ask("SELECT (SELECT count(*) FROM snapshot) + (SELECT count(*) FROM snapshot_chunk) + (SELECT count(*) FROM snapshot_source)") == "0");
    rig.restart_worker();
    REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    CHECK(rig.worker().status().snapshots.started_from.value() == 0);
    CHECK(result_dump(database) == undisturbed());
}

TEST_CASE("a state with a tenant's own pattern in it is read with that pattern") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    LaneRig rig{database, eager()};
    rig.ingest().start();
    rig.start_worker();
    REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    constexpr const char* document = R"({"id":"own","title":"Any inbox rule","severity":"low","order":"sequence","within":"1h","link":{"same":["account"]},)"
                                     R"("stages":[{"id":"rule","match":{"name":"inbox_rule"}}]})";
    api::ports::PatternVersion own;
    own.id = "own";
    own.document_json = document;
    server::pg::PatternVersionStore patterns{database.api(), [&rig] { rig.worker().nudge(); }};
    REQUIRE(patterns.add(tenant.caller, own, std::nullopt).has_value());
    post(rig, tenant, 0, 6);
    REQUIRE(rig.settle());
    REQUIRE(saved(database, rig));
    const auto position = log_end(database);
    rig.options().snapshot_entries = 0;
    rig.restart_worker();
    post(rig, tenant, 6, 8);
    REQUIRE(rig.settle());
    CHECK(rig.worker().status().snapshots.started_from.value() == position);
    CHECK(database.ask("SELECT count(*) FROM finding WHERE pattern = 'own'") == "6");

    database.run("UPDATE pattern_version SET document = replace(document, 'inbox_rule', 'another')");
    rig.restart_worker();
    REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    CHECK(rig.worker().status().snapshots.started_from.value() < position);
    CHECK(rig.worker().status().snapshots.refused > 0);
}

TEST_CASE("so many snapshots are kept as the options say, with their chunks and sources") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    auto options = eager();
    options.snapshots_kept = 2;
    LaneRig rig{database, options};
    rig.ingest().start();
    rig.start_worker();
    for (std::size_t r = 0; r < 5; ++r) {
        post(rig, tenant, r, r + 1);
        REQUIRE(saved(database, rig));
    }
    CHECK(rig.worker().status().snapshots.stored >= 5);
    for (const char* table : {"snapshot", "snapshot_chunk", "snapshot_source"}) {
        CAPTURE(table);
        CHECK(database.ask(fmt::format("SELECT count(DISTINCT position) FROM {}", table)) == "2");
    }
    CHECK(database.ask("SELECT max(position) FROM snapshot") == std::to_string(log_end(database)));
    CHECK(database.ask("SELECT max(number) FROM snapshot_chunk") != "0");
}

TEST_CASE("a snapshot is read back as it was written, however many chunks it has, and written once") {
    TestDatabase database;
    server::SnapshotSet set;
    set.position = engine::Position{77};
    set.engine = "1/1";
    set.catalogue = "c";
    for (int i = 0; i < 5'000; ++i) set.lanes[3].state += static_cast<char>(i * i % 251);
    set.lanes[3].done = engine::Position{70};
    set.lanes[5] = {engine::Position{77}, "short"};
    set.sources.push_back({engine::TenantId{4}, "entra_id", "identity", story_begin, story_begin + 1us});
    for (const std::size_t chunk : {1U << 20U, 1'000U, 5'000U, 4'999U}) {
        CAPTURE(chunk);
        server::PqConnection session{database.dsn(server::pg::Role::lane).text()};
        server::PqSnapshotStore store{session, chunk};
        const auto never = [] { return false; };
        CHECK(store.write(set, 3, [] { return true; }) == server::SnapshotStore::Stored::stopped);
        CHECK(store.list().empty());
        CHECK(store.write(set, 3, never) == server::SnapshotStore::Stored::yes);
        CHECK(store.write(set, 3, never) == server::SnapshotStore::Stored::known);
        const auto list = store.list();
        REQUIRE(list.size() == 1);
        CHECK(list[0].bytes() == 5'005);
        CHECK(list[0].lanes.at(3).chunks == static_cast<std::int32_t>((5'000 + chunk - 1) / chunk));
        const auto read = store.read(list[0]);
        CHECK(read.lanes.at(3).state == set.lanes.at(3).state);
        CHECK(read.lanes.at(3).done.value() == 70);
        CHECK(read.lanes.at(5).state == "short");
        REQUIRE(read.sources.size() == 1);
        CHECK(read.sources[0].last_received == story_begin + 1us);
        database.run("DELETE FROM snapshot; DELETE FROM snapshot_source");
    }
}
