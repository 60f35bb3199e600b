#include "server/pg/diagnostics_store.hpp"

#include "tests/support/postgres_fixture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

using namespace catenary;
using namespace catenary::tests;
namespace pg = server::pg;

namespace {

/// A commit of `count` signals at positions from `first` on, into the leaf of 2026-03-01 and that of 2019, in turn.
void commit_signals(TestDatabase& database, const TestTenant& tenant, std::int64_t first, int count) {
    database.run(fmt::format(R"(
        SELECT ensure_leaf(DATE '2026-03-01');
        INSERT INTO signal (key, tenant, position, time, received, def, severity, confidence, count, entities, roles, content, source_id)
            SELECT gen_random_uuid(), {0}, {1} + n, CASE WHEN n % 2 = 0 THEN timestamptz '2026-03-01 12:00:00+00' ELSE timestamptz '2019-07-01 00:00:00+00' END,
                   clock_timestamp() - interval '10 seconds', 1, 0, 0.5, 1, '{{}}', '', 0, 's' FROM generate_series(0, {2} - 1) n;
        INSERT INTO batch (lane, first, last, leaf_days, leaf_rows, control)
            SELECT lane, {1}, {1} + {2} - 1, ARRAY[DATE '2026-03-01' - DATE '1970-01-01', DATE '2019-01-01' - DATE '1970-01-01'],
                   ARRAY[({2} + 1) / 2, {2} / 2], false FROM tenant WHERE id = {0})",
                             tenant.caller.tenant.value(), first, count));
}

api::ports::DiagnosticsReport report(pg::DiagnosticsStore& store, const TestTenant& tenant) {
    auto read = store.report(tenant.caller);
    REQUIRE(read.has_value());
    return *read;
}

}  // namespace

TEST_CASE("lag counts the tenant's own entries behind its lane, whoever else shares lane and leaves") {
    TestDatabase database;
    database.run("UPDATE layout SET lanes = 2");  // so that the first and the third tenant share one
    const auto first = database.add_tenant("first");
    const auto second = database.add_tenant("second");
    const auto third = database.add_tenant("third");
    pg::DiagnosticsStore store{database.api(), {}};
    CHECK(report(store, first).lag_signals == 0);
    CHECK(report(store, first).lag_seconds == 0);

    commit_signals(database, first, 1, 3000);
    commit_signals(database, second, 3001, 500);
    commit_signals(database, third, 3501, 100);
    commit_signals(database, first, 3601, 10);
    database.run(fmt::format("UPDATE log SET next_position = 3611; SELECT set_config('app.tenant', '{0}', true); SELECT append_control({0}, 'tick', '{{}}')",
                             first.caller.tenant.value()));
    CHECK(report(store, first).lag_signals == 3011);
    CHECK(report(store, second).lag_signals == 500);
    CHECK(report(store, third).lag_signals == 100);
    CHECK(report(store, first).lag_seconds >= 10);

    database.run("UPDATE lane SET done = 3600 WHERE id = 0");
    CHECK(report(store, first).lag_signals == 11);
    CHECK(report(store, second).lag_signals == 500);
    CHECK(report(store, third).lag_signals == 0);
    database.run("UPDATE lane SET done = 3611 WHERE id = 0");
    CHECK(report(store, first).lag_signals == 0);
    CHECK(report(store, first).lag_seconds == 0);
}

TEST_CASE("what is behind is counted from the end of its leaves") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    commit_signals(database, tenant, 1, 40'000);
    database.run("UPDATE lane SET done = 40000");
    commit_signals(database, tenant, 40'001, 10);
    pg::DiagnosticsStore store{database.api(), {}};
    CHECK(report(store, tenant).lag_signals == 10);
    std::string plan;
    pqxx::connection connection{database.dsn(pg::Role::api).text()};
    pqxx::work transaction{connection};
    for (const auto& row :
         transaction.exec_params("EXPLAIN SELECT count(*), min(received) FROM signal WHERE position > $1 AND time >= $2 AND time < $3 AND ctid >= $4::tid",
                                 40'000, "2026-03-01", "2026-03-02", "(100,0)")) {
        plan += row[0].c_str();
    }
    CAPTURE(plan);
    CHECK(plan.find("Tid Range Scan on signal_d20260301") != std::string::npos);
}

TEST_CASE("a report holds the engine's status and what the process knows") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    const auto other = database.add_tenant("second");
    database.run(fmt::format(
        "INSERT INTO tenant_status VALUES ({}, 7, '2026-03-05 22:47:11+00', true, '2026-03-05 23:47:11+00', interval '1 hour', 10, 1, 2, 3, 4, 5, 6)",
        tenant.caller.tenant.value()));
    database.run("UPDATE tenant_status SET evicted_signals = 8, turned_away_signals = 9, aggregated_findings = 10, incidents_cut_short = 11");
    pg::ProcessView process;
    process.sources = [](engine::TenantId) { return std::vector<api::ports::SourceStatus>{{"edr", "endpoint", 4, {}, {}}}; };
    process.caps = [](engine::TenantId) { return std::vector<std::pair<std::string, std::int64_t>>{{"findings", 2}}; };
    process.leader = [](engine::TenantId) { return std::string{"leading"}; };
    pg::DiagnosticsStore store{database.api(), process};
    const auto found = report(store, tenant);
    CHECK(found.watermark == engine::from_micros(1'772'750'831'000'000));
    CHECK(found.newest_event == engine::from_micros(1'772'754'431'000'000));
    CHECK(found.held);
    CHECK(found.lateness_seconds == 3600);
    CHECK(found.late == 1);
    CHECK(found.unlinkable == 2);
    CHECK(found.behind_horizon == 3);
    CHECK(found.window_signals == 4);
    CHECK(found.state_bytes == 5);
    CHECK(found.sources.size() == 1);
    CHECK(found.caps == std::vector<std::pair<std::string, std::int64_t>>{{"pattern_groups", 6},
                                                                          {"window_signals", 8},
                                                                          {"window_signals_turned_away", 9},
                                                                          {"daily_incidents", 10},
                                                                          {"incident_entities", 11},
                                                                          {"findings", 2}});
    CHECK(found.leader == "leading");
    CHECK_FALSE(report(store, other).watermark.has_value());
}

TEST_CASE("readiness asks the process and the database") {
    TestDatabase database;
    CHECK_FALSE(pg::DiagnosticsStore(database.api(), {}).not_ready().has_value());
    pg::ProcessView busy;
    busy.not_ready = [] { return std::optional<std::string>{"replaying 40 %"}; };
    CHECK(pg::DiagnosticsStore(database.api(), busy).not_ready() == "replaying 40 %");
    pg::Pool unreachable{pg::Dsn{{{"host", "/tmp/catenary-no-such-folder"}, {"user", "catenary"}, {"dbname", "catenary"}}}, 1, std::chrono::seconds{1}};
    CHECK(pg::DiagnosticsStore(unreachable, {}).not_ready().has_value());
}
