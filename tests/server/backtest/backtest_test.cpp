#include "server/backtest/backtest.hpp"

#include "api/json/finding_json.hpp"
#include "tests/server/lanes/lane_rig.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>
#include <thread>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;

namespace {

/// The pattern that the rig's lanes run, within a given time.
std::string document(const std::string& within = "4h") {
    return fmt::format(R"({{"id":"risky-sign-in-then-inbox-rule","title":"Risky sign-in, then an inbox rule","severity":"high","order":"sequence",
        "within":"{}","link":{{"same":["account"]}},"stages":[{{"id":"access","match":{{"domain":"identity","name":"risky_sign_in"}}}},
        {{"id":"persistence","match":{{"name":"inbox_rule"}}}}]}})",
                       within);
}

api::ports::BacktestRequest request_of(std::chrono::hours from, std::chrono::hours to, const std::string& text = document()) {
    api::ports::BacktestRequest request;
    request.pattern = "risky-sign-in-then-inbox-rule";
    request.document_json = text;
    request.from = story_begin + from;
    request.to = story_begin + to;
    return request;
}

struct Site {
    TestDatabase database;
    TestTenant tenant = database.add_tenant("first");
    LaneRig rig{database};

    void start() {
        rig.ingest().set_clock(story_begin + 24h * 365);
        rig.ingest().start();
        rig.start_worker();
    }
    void post(const std::vector<BatchBuilder::Item>& items) {
        const auto outcome = rig.ingest().post(tenant.caller.tenant, items);
        REQUIRE(outcome.state == api::ingest::CommitOutcome::State::committed);
        REQUIRE(rig.settle());
    }
    api::json::BacktestReport backtest(const api::ports::BacktestRequest& request, engine::TenantId of) {
        server::Interrupt interrupt;
        return server::run_backtest(of, request, {database.dsn(server::pg::Role::lane).text(), interrupt, progress, {}});
    }
    api::json::BacktestReport backtest(const api::ports::BacktestRequest& request) { return backtest(request, tenant.caller.tenant); }

    server::BacktestProgress progress;
};

/// Ids and numbers of evidence of the live findings that are stored.
std::set<std::string> produced(TestDatabase& database) {
    pqxx::connection connection{database.superuser().text()};
    pqxx::work transaction{connection};
    std::set<std::string> all;
    for (const auto& row : transaction.exec("SELECT id, evidence_total FROM finding WHERE state <> 'superseded'"))
        all.insert(fmt::format("{} {}", row[0].c_str(), row[1].c_str()));
    return all;
}

}  // namespace

TEST_CASE("a backtest of what runs finds what was found live, signal by signal, whatever came late") {
    for (const unsigned seed : {1U, 2U, 3U}) {
        CAPTURE(seed);
        Site site;
        site.start();
        std::mt19937 random{seed};
        const auto below = [&random](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
        std::vector<BatchBuilder::Item> items;
        for (int i = 0; i < 240; ++i) {
            const auto account = fmt::format("a{}@ne.example", below(12));
            // Over four days; one in five comes up to twenty hours after others of its time.
            const auto after = std::chrono::minutes{i * 24 + below(60)} - (below(5) == 0 ? std::chrono::minutes{below(1'200)} : 0min);
            const auto id = fmt::format("s{}", i);
            items.push_back(below(2) == 0 ? sign_in(id, account, after) : inbox_rule(id, account, after));
        }
        for (std::size_t begin = 0; begin < items.size(); begin += 24) {
            site.post({items.begin() + static_cast<std::ptrdiff_t>(begin), items.begin() + static_cast<std::ptrdiff_t>(begin + 24)});
        }
        CHECK(site.database.ask("SELECT count(*) > 5 FROM late_signal") == "t");
        CHECK(site.database.ask("SELECT count(*) FROM late_signal WHERE behind_horizon") == "0");

        const auto report = site.backtest(request_of(-48h, 240h));
        const auto live = produced(site.database);
        REQUIRE(live.size() > 10);
        CHECK(report.findings_total == static_cast<std::int64_t>(live.size()));
        CHECK(report.comparison.both == report.findings_total);
        CHECK(report.comparison.only_backtest == 0);
        CHECK(report.comparison.only_production == 0);
        for (const auto& [backtest, production] : report.comparison.pairs) CHECK(backtest == production);
        for (const auto& finding : report.findings) {
            CHECK(live.contains(fmt::format("{} {}", api::json::text_of(finding.record.id), finding.record.evidence_total)));
            CHECK(static_cast<std::int64_t>(finding.evidence.size()) == finding.record.evidence_total);
            CHECK(finding.record.mode == engine::Mode::off);
            CHECK_FALSE(finding.record.incident);
        }
        CHECK(report.signals == 240);
        CHECK(site.progress.read == 240);
        CHECK(site.progress.total == 240);
        CHECK_FALSE(report.stopped);
        std::int64_t by_day = 0;
        for (const auto& day : report.days) {
            CHECK(day.backtest == day.production);
            by_day += day.backtest;
        }
        CHECK(by_day == report.findings_total);
    }
}

TEST_CASE("found is what completes in the interval, with what it began with before") {
    Site site;
    site.start();
    site.post({sign_in("1", "alice", 0h), inbox_rule("2", "alice", 3h), sign_in("3", "bob", 10h), inbox_rule("4", "bob", 11h)});
    CHECK(site.backtest(request_of(2h, 4h)).findings_total == 1);
    CHECK(site.backtest(request_of(2h, 4h)).findings[0].record.evidence_total == 2);
    CHECK(site.backtest(request_of(3h, 4h)).findings_total == 1);  // both ends included
    CHECK(site.backtest(request_of(2h, 3h)).findings_total == 1);
    CHECK(site.backtest(request_of(4h, 10h)).findings_total == 0);
    CHECK(site.backtest(request_of(0h, 11h)).findings_total == 2);
    CHECK(site.backtest(request_of(24h * 30, 24h * 31)).signals == 0);
}

TEST_CASE("another version is compared by the signals that findings have in common") {
    Site site;
    site.start();
    site.post({sign_in("1", "alice", 0h), inbox_rule("2", "alice", 3h), sign_in("3", "bob", 10h), inbox_rule("4", "bob", 10h + 5min)});
    auto request = request_of(0h, 24h, document("1h"));
    request.version = 2;
    auto report = site.backtest(request);
    CHECK(report.comparison.production_total == 2);
    CHECK(report.comparison.both == 1);
    CHECK(report.comparison.only_production == 1);
    REQUIRE(report.comparison.pairs.size() == 1);
    CHECK(report.comparison.pairs[0].first != report.comparison.pairs[0].second);
    CHECK(report.comparison.missing_in_backtest.size() == 1);

    site.database.run("UPDATE finding SET mode = 'flighting'");  // is not production
    report = site.backtest(request);
    CHECK(report.comparison.production_total == 0);
    CHECK(report.comparison.only_backtest == 1);
    CHECK(report.comparison.missing_in_production.size() == 1);
}

TEST_CASE("a backtest reads its own tenant's signals, of leaves of a day and of a year alike") {
    Site site;
    const auto other = site.database.add_tenant("second");
    site.start();
    site.post({sign_in("1", "alice", 0h), inbox_rule("2", "alice", 1h)});
    const auto years_ago = -24h * 365 * 12;
    site.post({sign_in("3", "bob", years_ago), inbox_rule("4", "bob", years_ago + 1h)});
    CHECK(site.backtest(request_of(-24h, 24h), other.caller.tenant).signals == 0);
    CHECK(site.backtest(request_of(-24h, 24h)).findings_total == 1);
    const auto old = site.backtest(request_of(std::chrono::hours{years_ago} - 24h, std::chrono::hours{years_ago} + 24h));
    CHECK(old.signals == 2);
    CHECK(old.findings_total == 1);
}

TEST_CASE("a backtest links by what is said of entities now") {
    Site site;
    site.start();
    site.post({sign_in("1", "alice", 0h), inbox_rule("2", "alice", 1h)});
    site.database.run(
        fmt::format("INSERT INTO entity_note (tenant, kind, value, tags, facts, link, revision, position, changed, changed_by) "
                    "VALUES ({}, 'account', 'alice', '{{}}', '{{}}', 'deny', 1, 1, now(), 'k')",
                    site.tenant.caller.tenant.value()));
    CHECK(site.backtest(request_of(-24h, 24h)).findings_total == 0);
}

TEST_CASE("a backtest reads what must be absent, before the interval's first instance too") {
    Site site;
    site.start();
    auto approval = inbox_rule("3", "alice", -5h);
    approval.name = "change";
    approval.attributes = R"({"approved":true})";
    site.post({approval, sign_in("1", "alice", 0h), inbox_rule("2", "alice", 1h), sign_in("4", "bob", 0h), inbox_rule("5", "bob", 1h)});
    site.post({sign_in("6", "carl", 9h)});  // the watermark passes what is judged
    auto text = document();
    text.insert(text.find(R"("stages")"), R"("absent":[{"match":{"attributes.approved":true},"before":"access","within":"5h"}],)");
    const auto report = site.backtest(request_of(1h, 2h, text));
    REQUIRE(report.findings_total == 1);
    CHECK(report.findings[0].record.principals == std::vector<engine::EntityKey>{{"account", "bob"}});
    text.replace(text.find(R"("within":"5h")"), 13, R"("within":"4h")");
    CHECK(site.backtest(request_of(1h, 2h, text)).findings_total == 2);
}

TEST_CASE("an interrupted backtest ends at once, also while it waits for the database") {
    Site site;
    site.start();
    site.post({sign_in("1", "alice", 0h), inbox_rule("2", "alice", 1h)});
    pqxx::connection blocker{site.database.superuser().text()};
    pqxx::work lock{blocker};
    lock.exec("LOCK TABLE signal IN ACCESS EXCLUSIVE MODE");
    server::Interrupt interrupt;
    std::thread asker{[&] {
        CHECK(wait_until([&] { return site.database.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") != "0"; }));
        interrupt.ask();
    }};
    const server::BacktestSurroundings around{site.database.dsn(server::pg::Role::lane).text(), interrupt, site.progress, {}};
    CHECK_THROWS_AS(server::run_backtest(site.tenant.caller.tenant, request_of(-24h, 24h), around), server::Interrupted);
    asker.join();
}
