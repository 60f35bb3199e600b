#include "server/backtest/backtest_worker.hpp"

#include "server/pg/job_store.hpp"
#include "tests/server/lanes/lane_rig.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
namespace pg = server::pg;
using api::ports::FailureCode;
using api::ports::JobState;

namespace {

api::ports::BacktestRequest wanted() {
    api::ports::BacktestRequest request;
    request.pattern = "p";
    request.document_json = R"({"id":"p","title":"T","severity":"medium","order":"sequence","within":"1h","stages":[{"id":"a","match":{"name":"x"}}]})";
    request.from = story_begin - 24h;
    request.to = story_begin + 24h;
    return request;
}

struct Jobs {
    TestDatabase database;
    TestTenant first = database.add_tenant("first");
    TestTenant second = database.add_tenant("second");
    pg::JobStore store{database.api()};
    std::string dsn = database.dsn(pg::Role::lane).text();

    std::string add(const TestTenant& tenant) {
        const auto job = store.add(tenant.caller, wanted());
        REQUIRE(job.has_value());
        return job->id;
    }
    std::string add() { return add(first); }
    server::BacktestWorkerOptions options() const {
        server::BacktestWorkerOptions options;
        options.dsn = dsn;
        options.round = 10ms;
        options.beat = 10ms;
        return options;
    }
    JobState state(const std::string& id) { return store.find(first.caller, id)->state; }
};

}  // namespace

TEST_CASE("a job is run to its end, and its result is kept with it") {
    Jobs jobs;
    IngestRig ingest{jobs.database};
    ingest.start();
    auto signal = item("1");
    signal.name = "x";
    REQUIRE(summary(ingest.post(jobs.first.caller.tenant, {signal, item("2")})) == "aa");
    const auto id = jobs.add();
    server::BacktestWorker worker{jobs.options()};
    CHECK(worker.run_once());
    CHECK_FALSE(worker.run_once());
    const auto job = jobs.store.find(jobs.first.caller, id);
    REQUIRE(job.has_value());
    CHECK(job->state == JobState::done);
    CHECK(job->read == 2);
    CHECK(job->started.has_value());
    CHECK(job->ended.has_value());
    const auto result = nlohmann::json::parse(job->result_json);
    CHECK(result["findings_total"] == 1);
    CHECK(result["findings"][0]["evidence"][0]["id"] == "1");
    CHECK(result["comparison"]["only_backtest"] == 1);
    CHECK(worker.usage().done == 1);
    CHECK(jobs.store.page(jobs.first.caller, {})->items.at(0).result_json.empty());
}

TEST_CASE("a job that cannot be run fails and says so") {
    Jobs jobs;
    const auto id = jobs.add();
    jobs.database.run("UPDATE job SET document = '{}'");
    server::BacktestWorker worker{jobs.options()};
    CHECK(worker.run_once());
    const auto job = jobs.store.find(jobs.first.caller, id);
    CHECK(job->state == JobState::failed);
    CHECK_FALSE(job->error.empty());
    CHECK(worker.usage().failed == 1);
}

TEST_CASE("a tenant has a bounded number of jobs; what is refused is counted, and what ends makes room") {
    Jobs jobs;
    std::string last;
    for (int i = 0; i < pg::JobStore::most_unfinished; ++i) last = jobs.add();
    const auto refused = jobs.store.add(jobs.first.caller, wanted());
    CHECK(refused.error().code == FailureCode::conflict);
    CHECK(refused.error().detail.find("8 backtests wait or run") == 0);
    CHECK(jobs.store.refused(jobs.first.caller.tenant) == 1);
    CHECK(jobs.store.refused(jobs.second.caller.tenant) == 0);
    CHECK(jobs.store.add(jobs.second.caller, wanted()).has_value());
    CHECK(jobs.store.cancel(jobs.first.caller, last)->state == JobState::cancelled);
    CHECK(jobs.store.add(jobs.first.caller, wanted()).has_value());

    jobs.database.run(
        fmt::format("INSERT INTO job (tenant, state, pattern, version, inline, document, from_time, to_time, created, created_by, ended) "
                    "SELECT {}, 'done', 'old', 1, false, '{{}}', now(), now(), now() - interval '1 hour', 'k', now() FROM generate_series(1, 200)",
                    jobs.second.caller.tenant.value()));
    CHECK(jobs.store.add(jobs.second.caller, wanted()).has_value());
    CHECK(jobs.database.ask("SELECT count(*) FROM job WHERE pattern = 'old'") == "100");
}

TEST_CASE("another tenant's jobs can be neither seen nor cancelled") {
    Jobs jobs;
    const auto id = jobs.add();
    CHECK(jobs.store.find(jobs.second.caller, id).error().code == FailureCode::not_found);
    CHECK(jobs.store.cancel(jobs.second.caller, id).error().code == FailureCode::not_found);
    CHECK(jobs.store.page(jobs.second.caller, {})->items.empty());
    CHECK(jobs.state(id) == JobState::queued);
}

TEST_CASE("jobs are paged newest first") {
    Jobs jobs;
    std::vector<std::string> ids;
    for (int i = 0; i < 3; ++i) ids.push_back(jobs.add());
    const auto page = jobs.store.page(jobs.first.caller, {2, ""});
    REQUIRE(page->items.size() == 2);
    CHECK(page->items[0].id == ids[2]);
    REQUIRE(page->next.has_value());
    const auto rest = jobs.store.page(jobs.first.caller, {2, *page->next});
    REQUIRE(rest->items.size() == 1);
    CHECK(rest->items[0].id == ids[0]);
    CHECK_FALSE(rest->next.has_value());
}

TEST_CASE("tenants take turns, and each one's jobs are run in the order they came") {
    Jobs jobs;
    const auto early = jobs.add();
    const auto late = jobs.add();
    const auto others = jobs.add(jobs.second);
    pg::JobQueue queue{jobs.dsn};
    std::vector<std::string> order;
    for (int i = 0; i < 3; ++i) order.push_back((**queue.claim(10s)).id);
    CHECK(order == std::vector<std::string>{early, others, late});
    CHECK_FALSE((*queue.claim(10s)).has_value());
}

TEST_CASE("a job whose server died is begun anew by another, which fences the first one off") {
    Jobs jobs;
    const auto id = jobs.add();
    pg::JobQueue first{jobs.dsn}, second{jobs.dsn};
    const auto before = **first.claim(10s);
    CHECK(*first.beat(before, 1, 2));
    CHECK(jobs.store.find(jobs.first.caller, id)->total == 2);
    CHECK_FALSE((*second.claim(10s)).has_value());
    jobs.database.run("UPDATE job SET beat = now() - interval '11 seconds'");
    const auto after = **second.claim(10s);
    CHECK(after.id == id);
    CHECK(after.claim == 2);
    CHECK_FALSE(*first.beat(before, 5, 5));
    CHECK_FALSE(*first.done(before, 5, "{}"));
    CHECK_FALSE(*first.release(before));
    CHECK(*second.beat(after, 0, std::nullopt));
    CHECK_FALSE(jobs.store.find(jobs.first.caller, id)->total.has_value());
}

TEST_CASE("a job that ends its server again and again is given up") {
    Jobs jobs;
    const auto id = jobs.add();
    jobs.database.run("UPDATE job SET state = 'running', claims = 3, beat = now() - interval '1 minute'");
    server::BacktestWorker worker{jobs.options()};
    CHECK(worker.run_once());
    CHECK(jobs.state(id) == JobState::failed);
}

TEST_CASE("a running job that is cancelled ends, though it waits for the database; one that is stopped waits again") {
    Jobs jobs;
    jobs.database.run("SELECT ensure_leaf(DATE '2026-03-05')");
    pqxx::connection blocker{jobs.database.superuser().text()};
    pqxx::work lock{blocker};
    lock.exec("LOCK TABLE signal IN ACCESS EXCLUSIVE MODE");
    const auto is_blocked = [&] { return jobs.database.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") != "0"; };
    server::BacktestWorker worker{jobs.options()};
    worker.start();
    const auto cancelled = jobs.add();
    REQUIRE(wait_until(is_blocked));
    CHECK(jobs.state(cancelled) == JobState::running);
    CHECK(jobs.store.cancel(jobs.first.caller, cancelled)->state == JobState::cancelled);
    CHECK(wait_until([&] { return worker.usage().cancelled == 1; }));

    const auto stopped = jobs.add();
    REQUIRE(wait_until(is_blocked));
    worker.stop();
    CHECK(jobs.state(stopped) == JobState::queued);
    CHECK(jobs.database.ask("SELECT claims FROM job WHERE state = 'queued'") == "0");
    CHECK(jobs.state(cancelled) == JobState::cancelled);
}

TEST_CASE("a job that has ended cannot be cancelled, one that was cancelled can be again") {
    Jobs jobs;
    const auto id = jobs.add();
    CHECK(jobs.store.cancel(jobs.first.caller, id).has_value());
    CHECK(jobs.store.cancel(jobs.first.caller, id).has_value());
    jobs.database.run("UPDATE job SET state = 'done'");
    const auto refused = jobs.store.cancel(jobs.first.caller, id);
    CHECK(refused.error().code == FailureCode::conflict);
    CHECK(refused.error().detail == "the job has ended: it is done");
}

TEST_CASE("jobs that ended a week ago are forgotten, and no others") {
    Jobs jobs;
    const auto old = jobs.add();
    const auto waiting = jobs.add();
    jobs.database.run(fmt::format("UPDATE job SET state = 'done', ended = now() - interval '169 hours' WHERE id = '{}'", old));
    pg::JobQueue queue{jobs.dsn};
    CHECK(*queue.forget(24h * 7));
    CHECK(jobs.store.find(jobs.first.caller, old).error().code == FailureCode::not_found);
    CHECK(jobs.state(waiting) == JobState::queued);
}
