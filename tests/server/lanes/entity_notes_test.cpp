#include "server/pg/diagnostics_store.hpp"
#include "server/pg/entity_store.hpp"
#include "server/pg/signal_store.hpp"
#include "tests/server/lanes/lane_rig.hpp"

#include <doctest/doctest.h>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using server::LeaderStatus;

// From the store through the log to the engine and back, and again after a restart.

namespace {

struct Running {
    TestDatabase database;
    TestTenant tenant = database.add_tenant("first");
    LaneRig rig{database};
    server::pg::EntityStore entities{database.api(), 1s, [this] { rig.worker().nudge(); }};

    Running() {
        rig.ingest().start();
        rig.start_worker();
        REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    }
    void say(const std::string& account, engine::LinkRule rule) {
        api::ports::EntityRow wanted{{"account", account}, true};
        wanted.notes.link = rule;
        REQUIRE(entities.change(tenant.caller, wanted, {}).has_value());
    }
    void post(const std::vector<BatchBuilder::Item>& items) {
        REQUIRE(summary(rig.ingest().post(tenant.caller.tenant, items)) == std::string(items.size(), 'a'));
        REQUIRE(rig.settle());
    }
    std::string findings() { return database.ask("SELECT count(*) FROM finding"); }
};

}  // namespace

TEST_CASE("a denied account links no signals that come later, also for an engine that reads the log again") {
    Running it;
    it.say("scanner@corp.example", engine::LinkRule::deny);
    it.post({sign_in("s-1", "scanner@corp.example", 0s), inbox_rule("s-2", "scanner@corp.example", 1min)});
    it.post({sign_in("a-1", "ann@corp.example", 2min)});
    CHECK(it.findings() == "0");
    it.rig.restart_worker();
    it.post({inbox_rule("s-3", "scanner@corp.example", 3min), inbox_rule("a-2", "ann@corp.example", 4min)});
    CHECK(it.findings() == "1");  // ann's
    it.say("scanner@corp.example", engine::LinkRule::usual);
    it.post({sign_in("s-4", "scanner@corp.example", 5min), inbox_rule("s-5", "scanner@corp.example", 6min)});
    CHECK(it.findings() == "2");
    CHECK(it.database.ask("SELECT count(*) FROM finding_evidence WHERE source_id IN ('s-1', 's-2', 's-3')") == "0");
    CHECK(it.database.ask("SELECT unlinkable FROM tenant_status") == "3");
}

TEST_CASE("signals behind the horizon are counted, with the oldest, and stay so after a restart; once matched again they are late like others") {
    Running it;
    it.post({sign_in("new", "ann@corp.example", 0s)});
    it.post({sign_in("late", "ann@corp.example", -10h), sign_in("old", "ann@corp.example", -40h), sign_in("older", "ann@corp.example", -50h)});
    server::pg::DiagnosticsStore diagnostics{it.database.api(), {}};
    server::pg::SignalStore signals{it.database.api()};
    const auto check = [&](std::int64_t count, engine::Timestamp oldest) {
        const auto report = diagnostics.report(it.tenant.caller);
        REQUIRE(report.has_value());
        CHECK((*report).behind_horizon == count);
        CHECK((*report).oldest_behind_horizon == oldest);
        CHECK((*report).rematches.made == count);
        for (const auto& [id, late] : {std::pair{"new", false}, {"late", true}, {"old", true}, {"older", true}}) {
            const auto found = signals.find(it.tenant.caller, "entra_id", id, {});
            REQUIRE(found.has_value());
            CHECK((*found).row.late == late);
            CHECK_FALSE((*found).row.behind_horizon);
        }
        const auto page = signals.page(it.tenant.caller, {}, {10, ""});
        REQUIRE(page.has_value());
        CHECK(std::none_of((*page).items.begin(), (*page).items.end(), [](const auto& row) { return row.behind_horizon; }));
    };
    check(2, story_begin - 50h);
    it.rig.restart_worker();
    check(2, story_begin - 50h);
    it.post({sign_in("oldest", "ann@corp.example", -60h)});
    check(3, story_begin - 60h);
}

TEST_CASE("diagnostics lists the entities whose links are denied, last changed first") {
    Running it;
    for (const auto* account : {"a", "b", "c"}) it.say(account, engine::LinkRule::deny);
    it.say("a", engine::LinkRule::deny);
    it.say("b", engine::LinkRule::allow);
    server::pg::DiagnosticsStore diagnostics{it.database.api(), {}};
    const auto report = diagnostics.report(it.tenant.caller);
    REQUIRE(report.has_value());
    REQUIRE((*report).denied.size() == 2);
    CHECK((*report).denied[0].key == engine::EntityKey{"account", "a"});
    CHECK((*report).denied[1].key == engine::EntityKey{"account", "c"});
}
