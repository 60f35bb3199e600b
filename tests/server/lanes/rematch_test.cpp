#include "engine/lane/rematches.hpp"
#include "server/pg/diagnostics_store.hpp"
#include "tests/server/lanes/lane_rig.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

// Signals whose time the engine has forgotten, matched again with what PostgreSQL has of it; and what comes twice, which changes nothing.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using server::LeaderStatus;

namespace {

struct Running {
    TestDatabase database;
    TestTenant tenant = database.add_tenant("first");
    LaneRig rig{database};

    Running() {
        rig.ingest().start();
        rig.start_worker();
        REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    }
    void post(const std::vector<BatchBuilder::Item>& items) {
        REQUIRE(summary(rig.ingest().post(tenant.caller.tenant, items)) == std::string(items.size(), 'a'));
        REQUIRE(rig.settle());
    }
    std::string evidence() {
        return database.ask(
            "SELECT coalesce(string_agg(ids, ' ' ORDER BY ids), '') FROM (SELECT string_agg(source_id, '+' ORDER BY source_id) AS ids FROM finding_evidence e "
            "JOIN finding f ON f.id = e.finding WHERE f.state = 'open' GROUP BY finding) AS s");
    }
    std::string waiting() { return database.ask("SELECT count(*) FROM late_signal WHERE behind_horizon"); }
    api::ports::DiagnosticsReport report() {
        server::pg::DiagnosticsStore diagnostics{database.api(), {}};
        const auto report = diagnostics.report(tenant.caller);
        REQUIRE(report.has_value());
        return *report;
    }
};

/// What a tenant's results say, without names that tell tenants apart.
std::string results_of(TestDatabase& database, engine::TenantId tenant) {
    return database.ask(
        fmt::format("SELECT coalesce(string_agg(line, E'\n' ORDER BY line), '') FROM ("
                    "SELECT concat_ws(' ', f.state, f.title, f.start_time, f.end_time, f.score, f.evidence_total, f.principals, "
                    "(SELECT string_agg(concat_ws('/', e.source, e.source_id, e.stage), '+' ORDER BY e.source, e.source_id) FROM finding_evidence e "
                    "WHERE e.finding = f.id AND e.tenant = f.tenant)) AS line FROM finding f WHERE f.tenant = {0} "
                    "UNION ALL SELECT concat_ws(' ', i.title, i.status, i.first_activity, i.last_activity, i.signal_count, i.finding_count) FROM incident i "
                    "WHERE i.tenant = {0} "
                    "UNION ALL SELECT concat_ws(' ', s.signals, s.late, s.behind_horizon, s.unlinkable, s.rematches, s.rematch_signals) FROM tenant_status s "
                    "WHERE s.tenant = {0}"
                    ") AS lines",
                    tenant.value()));
}

}  // namespace

TEST_CASE("what comes behind the horizon is matched with what is stored of its time, and by an engine that reads the log again as well") {
    Running it;
    it.post({inbox_rule("rule", "ann@corp.example", -100h), inbox_rule("other", "bob@corp.example", -100h)});
    it.post({sign_in("new", "ann@corp.example", 0s)});
    it.post({sign_in("old", "ann@corp.example", -101h)});
    CHECK(it.evidence() == "old+rule");
    CHECK(it.waiting() == "0");
    auto report = it.report();
    CHECK(report.behind_horizon == 1);
    CHECK(report.rematches.made == 1);
    CHECK(report.rematches.read == 2);
    CHECK(report.rematches.waiting == 0);
    const auto before = result_dump(it.database);

    it.rig.restart_worker();
    REQUIRE(it.rig.wait_for(LeaderStatus::State::leading));
    CHECK(result_dump(it.database) == before);
    it.post({inbox_rule("again", "ann@corp.example", -99h), sign_in("too early", "ann@corp.example", -105h), inbox_rule("theirs", "carl@corp.example", -99h)});
    CHECK(it.evidence() == "again+old+rule");
    report = it.report();
    CHECK(report.rematches.made == 4);
    CHECK(report.caps.empty());
    CHECK(it.rig.worker().status().rematches.counts.made == 4);
    CHECK(it.database.ask("SELECT count(DISTINCT incident) FROM finding WHERE state = 'open'") == "1");
}

TEST_CASE("re-matches beyond those of a minute wait, marked and counted, also over a restart") {
    Running it;
    it.post({sign_in("new", "ann@corp.example", 0s)});
    std::vector<BatchBuilder::Item> old;
    constexpr int more = 7;
    for (int i = 0; i < engine::RematchAllowance::most_a_minute + more; ++i)
        old.push_back(sign_in("s" + std::to_string(i), fmt::format("u{}", i), -100h + i * 1min));
    it.post(old);
    CHECK(it.waiting() == std::to_string(more));
    CHECK(it.report().rematches.waiting == more);
    CHECK(it.report().rematches.oldest_waiting == story_begin - 100h + 10min);
    it.rig.restart_worker();
    REQUIRE(it.rig.wait_for(LeaderStatus::State::leading));
    it.rig.ingest().set_clock(story_begin + 1min);
    it.post({inbox_rule("rule", "u16", 1min)});
    CHECK(it.waiting() == "0");
    CHECK(it.report().rematches.waiting == 0);
    CHECK(it.rig.worker().status().rematches.backlog == 0);
}

TEST_CASE("what is sent twice, or with other content under a used id, changes no result") {
    for (std::uint32_t seed = 0; seed < 6; ++seed) {
        CAPTURE(seed);
        Running it;
        const auto other = it.database.add_tenant("second");
        std::mt19937 random{seed};
        const auto drawn = [&](int least, int most) { return least + static_cast<int>(random() % static_cast<unsigned>(most - least + 1)); };
        std::vector<BatchBuilder::Item> signals;
        for (int i = 0; i < 120; ++i) {
            const auto account = fmt::format("u{}", drawn(0, 5));
            const auto time = drawn(0, 4) == 0 ? -drawn(30, 60) * 1h : drawn(-120, 0) * 1min;
            signals.push_back(drawn(0, 1) == 0 ? sign_in(fmt::format("a{}", i), account, time) : inbox_rule(fmt::format("b{}", i), account, time));
        }
        int repeats = 0;
        std::size_t sent = 0;
        while (sent < signals.size()) {
            const auto count = std::min<std::size_t>(static_cast<std::size_t>(drawn(1, 12)), signals.size() - sent);
            std::vector<BatchBuilder::Item> plain{signals.begin() + static_cast<std::ptrdiff_t>(sent),
                                                  signals.begin() + static_cast<std::ptrdiff_t>(sent + count)};
            sent += count;
            auto repeated = plain;
            for (std::size_t i = 0; i < sent; ++i) {  // of this batch and of earlier ones
                if (drawn(1, 10) > 1) continue;
                repeated.push_back(signals[i]);
                if (drawn(1, 3) == 1) repeated.back().confidence = 0.9;
                ++repeats;
            }
            REQUIRE(summary(it.rig.ingest().post(it.tenant.caller.tenant, plain)) == std::string(count, 'a'));
            const auto answered = summary(it.rig.ingest().post(other.caller.tenant, repeated));
            REQUIRE(std::count(answered.begin(), answered.end(), 'a') == static_cast<std::ptrdiff_t>(count));
            REQUIRE(std::count_if(answered.begin(), answered.end(), [](char one) { return one == 'd' || one == 'c'; }) ==
                    static_cast<std::ptrdiff_t>(repeated.size() - count));
        }
        REQUIRE(it.rig.settle());
        const auto expected = results_of(it.database, it.tenant.caller.tenant);
        CHECK(repeats > 12);
        CHECK(expected.find("open") != std::string::npos);
        CHECK(results_of(it.database, other.caller.tenant) == expected);
    }
}
