#include "server/pg/leaf_retention.hpp"
#include "server/pg/stored_incidents.hpp"
#include "tests/server/lanes/saved_story.hpp"

#include <doctest/doctest.h>
#include <pqxx/pqxx>

using namespace catenary;
using namespace catenary::tests;
using server::Beginning;
using server::LeaderStatus;

namespace {

/// Days from the story's day on are kept, as seen from today.
int days_since(const std::string& day, TestDatabase& database) { return std::stoi(database.ask(fmt::format("SELECT current_date - DATE '{}'", day))); }

std::string made_by(TestDatabase& database) { return database.ask("SELECT engine || ' ' || (since > 0) FROM understanding"); }

}  // namespace

TEST_CASE("results of another version are gone on from, without a change of what was reported") {
    const std::string expected = undisturbed();
    for (const char* other : {"UPDATE understanding SET engine = '0.0.1/0'", "UPDATE understanding SET catalogue = 'none'",
                              "DELETE FROM understanding; DELETE FROM snapshot", "DELETE FROM snapshot; UPDATE understanding SET since = 3"}) {
        CAPTURE(other);
        HalfSaved half{20};
        CHECK(half.rig.worker().status().beginning == Beginning::snapshot);
        const auto before = result_dump(half.database);
        half.database.run(other);
        half.rig.options().snapshot_entries = 1;
        const auto status = half.restarted();
        CHECK(status.beginning == Beginning::carried);
        CHECK(status.snapshots.started_from.value() == 0);
        CHECK(result_dump(half.database) == before);
        CHECK(made_by(half.database) == fmt::format("{} true", engine::Lane::version()));
        REQUIRE(saved(half.database, half.rig));  // at the same position as the one before, which is of no use any more

        post(half.rig, half.tenant, 20, 23);
        REQUIRE(half.rig.settle());
        REQUIRE(saved(half.database, half.rig));
        CHECK(half.restarted().beginning == Beginning::snapshot);
        post(half.rig, half.tenant, 23, 26);
        REQUIRE(half.rig.settle());
        CHECK(result_dump(half.database) == expected);
    }
}

TEST_CASE("the whole log gives the results as long as one version read all of it") {
    HalfSaved half{20};
    CHECK(made_by(half.database) == fmt::format("{} false", engine::Lane::version()));
    half.database.run("DELETE FROM snapshot");
    CHECK(half.restarted().beginning == Beginning::log);
    post(half.rig, half.tenant, 20, 26);
    REQUIRE(half.rig.settle());
    CHECK(result_dump(half.database) == undisturbed());
}

TEST_CASE("what people made of incidents stays when their engine begins anew") {
    HalfSaved half{20};
    half.database.run("UPDATE incident SET status = 'active', owner = 'somebody', title = 'Named by hand', labels = '{seen}' WHERE number = 1");
    half.database.run("UPDATE incident SET status = 'closed', classification = 'true_positive' WHERE number = 2");
    const auto before = result_dump(half.database);
    half.database.run("UPDATE understanding SET engine = '0.0.1/0'");
    CHECK(half.restarted().beginning == Beginning::carried);
    CHECK(result_dump(half.database) == before);
    const auto of = [&](int number) {
        return half.database.ask(fmt::format("SELECT status || ' ' || owner || ' ' || title FROM incident WHERE number = {}", number));
    };
    const auto kept = of(1);
    post(half.rig, half.tenant, 20, 26);
    REQUIRE(half.rig.settle());
    CHECK(of(1) == kept);
    CHECK(of(2).starts_with("closed"));
}

TEST_CASE("of incidents that ended the findings are named, of those that matter still all that is needed is read") {
    HalfSaved half{20};
    half.database.run("UPDATE incident SET status = 'closed'");
    pqxx::connection connection{half.database.dsn(server::pg::Role::lane).text()};
    pqxx::work transaction{connection};
    const auto stored = [&](std::optional<engine::Timestamp> earliest) {
        return server::pg::stored_incidents(transaction, half.tenant.caller.tenant, earliest);
    };
    const auto count = [&](const char* sql) { return std::stoul(half.database.ask(sql)); };

    const auto ended = stored(std::nullopt);
    CHECK(ended.incidents.size() == count("SELECT count(*) FROM incident WHERE merged_into IS NULL"));
    CHECK(ended.findings.size() == count("SELECT count(*) FROM finding WHERE state <> 'superseded' AND mode = 'production' AND incident IS NOT NULL"));
    REQUIRE_FALSE(ended.findings.empty());
    for (const auto& finding : ended.findings) CHECK(finding.evidence.empty());

    const auto all = stored(engine::Timestamp{});
    CHECK(all.incidents == ended.incidents);
    REQUIRE(all.findings.size() == ended.findings.size());
    for (const auto& finding : all.findings) CHECK(static_cast<std::int64_t>(finding.evidence.size()) == finding.evidence_total);
}

TEST_CASE("a follower that cannot know what was reported waits for a snapshot of the leader's") {
    HalfSaved half{20};
    half.database.run("DELETE FROM snapshot; UPDATE understanding SET since = 1");
    server::Watermarks watermarks;
    server::SourceRegistry sources;
    server::HandOff hand_off{1U << 20U};
    server::pg::LaneProgress progress;
    server::LaneWorker other{{.dsn = half.database.dsn(server::pg::Role::lane).text(), .owner = "other", .follow_poll = 20ms, .snapshot_entries = 0},
                             two_stage_catalogue(),
                             [] { return story_begin + std::chrono::hours{24 * 365}; },
                             watermarks,
                             sources,
                             hand_off,
                             progress};
    other.start();
    REQUIRE(wait_until([&] { return other.status().state == LeaderStatus::State::following; }));
    CHECK(other.status().beginning == Beginning::carried);
    CHECK(other.status().applied == 0);

    half.rig.options().snapshot_entries = 1;
    // It leads in the meantime, and carries over itself; the one that comes back follows from its snapshot or from its own.
    half.rig.restart_worker();
    REQUIRE(
        wait_until([&] { return other.status().state == LeaderStatus::State::leading || half.rig.worker().status().state == LeaderStatus::State::leading; }));
    post(half.rig, half.tenant, 20, 26);
    REQUIRE(half.rig.settle());
    CHECK(result_dump(half.database) == undisturbed());
    other.stop();
}

TEST_CASE("days that are over for long are refused, and dropped once a saved state holds them; results go on") {
    const std::string expected = undisturbed();
    HalfSaved half{20};
    auto& database = half.database;
    // The story begins two hours before midnight: its first 24 requests are of one day, and what follows of the next.
    REQUIRE(database.ask("SELECT count(DISTINCT time::date) FROM signal") == "1");
    server::pg::LeafRetention retention{{.dsn = database.dsn(server::pg::Role::ingest).text(), .days = days_since("2026-03-06", database), .patience = 0min}};
    database.run("DELETE FROM snapshot");
    CHECK(retention.run_once() > 0);  // empty years of before
    CHECK(retention.usage().postponed == 1);
    CHECK(retention.first_kept() == server::day_of(story_begin) + 1);
    CHECK(database.ask("SELECT count(*) FROM signal") != "0");
    CHECK(retention.run_once() == 0);

    half.rig.options().snapshot_entries = 1;
    CHECK(half.restarted().beginning == Beginning::log);
    REQUIRE(saved(database, half.rig));
    CHECK(retention.run_once() == 1);
    CHECK(retention.run_once() == 0);
    CHECK(database.ask("SELECT count(*) FROM signal") == "0");
    CHECK(database.ask("SELECT count(*) FROM batch WHERE NOT control") == "0");
    CHECK(database.ask("SELECT count(*) FROM leaf WHERE ends <= '2026-03-06Z'") == "0");
    CHECK(database.ask("SELECT kept_from || ' ' || (gone_until > 0) FROM retention") == "2026-03-06 true");
    CHECK_THROWS_WITH(database.run("SELECT ensure_leaf(DATE '2026-03-05')"), doctest::Contains("not kept any more"));

    SUBCASE("from a snapshot") {
        half.rig.options().snapshot_entries = 0;
        CHECK(half.restarted().beginning == Beginning::snapshot);
    }
    SUBCASE("without one, what is open takes no evidence that nobody can connect it with any more, and numbers go on") {
        database.run("DELETE FROM snapshot");
        const auto before = result_dump(database);
        CHECK(half.restarted().beginning == Beginning::carried);
        CHECK(result_dump(database) == before);
        const auto last = std::stoi(database.ask("SELECT max(number) FROM incident"));
        half.rig.ingest().post(half.tenant.caller.tenant,
                               {sign_in("late-in", "fresh@corp.example", 3h), inbox_rule("late-rule", "fresh@corp.example", 3h + 1min)});
        REQUIRE(half.rig.settle());
        CHECK(database.ask("SELECT max(number) FROM incident") == std::to_string(last + 1));
        return;
    }
    const auto next_day = std::vector{sign_in("n-in", "next@corp.example", 3h), inbox_rule("n-rule", "next@corp.example", 3h + 1min)};
    CHECK(summary(half.rig.ingest().post(half.tenant.caller.tenant, next_day)) == "aa");
    REQUIRE(half.rig.settle());
    CHECK(database.ask("SELECT count(*) FROM finding_evidence WHERE source_id LIKE 'n-%'") == "2");
}

TEST_CASE("signals of days that are not kept are refused one by one, with the day from which they are") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    server::CommitterOptions options;
    options.first_kept = [] { return server::day_of(story_begin) + 1; };
    IngestRig ingest{database, options};
    ingest.start();
    const auto outcome = ingest.post(tenant.caller.tenant, {item("old", 1h), item("kept", 2h)});
    CHECK(summary(outcome) == "ra");
    REQUIRE(outcome.items[0].errors.size() == 1);
    CHECK(outcome.items[0].errors[0].pointer == "/time");
    CHECK(outcome.items[0].errors[0].detail == "2026-03-05T23:00:00Z is before 2026-03-06T00:00:00Z: older signals are not kept (--retention-days)");
}

TEST_CASE("a start learns which days are refused, and is not kept by dropping any") {
    TestDatabase database;
    const auto leaves = database.ask("SELECT count(*) FROM leaf");
    server::pg::LeafRetention retention{{.dsn = database.dsn(server::pg::Role::ingest).text(), .days = 60, .patience = 0min}};
    retention.start();
    CHECK(retention.first_kept() > server::LeafCalendar::first_day());
    CHECK(database.ask("SELECT count(*) FROM leaf") == leaves);
    retention.stop();
    CHECK(retention.usage().dropped == 0);
    CHECK(retention.run_once() == 0);  // it was asked to stop
}
