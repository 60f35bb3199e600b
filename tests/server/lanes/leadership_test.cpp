#include "server/lanes/pq_leadership.hpp"
#include "tests/server/lanes/lane_rig.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using server::LeaderStatus;

namespace {

/// The lane worker of another process on the same database.
class OtherProcess {
public:
    explicit OtherProcess(TestDatabase& database)
        : worker_{{.dsn = database.dsn(server::pg::Role::lane).text(), .owner = "other", .follow_poll = 20ms},
                  two_stage_catalogue(),
                  [] { return story_begin + std::chrono::hours{24 * 365}; },
                  watermarks,
                  sources,
                  hand_off,
                  progress} {}
    void start() { worker_.start(); }
    LeaderStatus::State state() const { return worker_.status().state; }
    std::string text() const { return worker_.status().text(); }
    bool ready() const { return worker_.ready(); }
    std::int64_t applied() const { return worker_.status().applied; }
    bool becomes(LeaderStatus::State wanted) const {
        return wait_until([&] { return state() == wanted; });
    }
    void stop() { worker_.stop(); }

    server::Watermarks watermarks;
    server::SourceRegistry sources;
    server::HandOff hand_off;
    server::pg::LaneProgress progress;

private:
    server::LaneWorker worker_;
};

/// Thirty accounts sign in and then, out of order among them, make their rules: half before and half after `between`.
std::string story(TestDatabase& database, LaneRig& rig, const std::function<void()>& between) {
    const auto tenant = database.add_tenant("first");
    const auto account = [](int i) { return fmt::format("user{}@corp.example", i); };
    for (int i = 0; i < 30; ++i) {
        REQUIRE(summary(rig.ingest().post(tenant.caller.tenant, {sign_in(fmt::format("in-{}", i), account(i), 1min * i)})) == "a");
        if (i % 3 == 0) REQUIRE(summary(rig.ingest().post(tenant.caller.tenant, {inbox_rule(fmt::format("early-{}", i), account(i), 1min * i + 30s)})) == "a");
    }
    between();
    for (int i = 29; i >= 0; --i) {
        REQUIRE(summary(rig.ingest().post(tenant.caller.tenant, {inbox_rule(fmt::format("rule-{}", i), account(i), 1min * i + 20min)})) == "a");
    }
    REQUIRE(rig.settle());
    return result_dump(database);
}

void lead_and_follow(LaneRig& leader, OtherProcess& follower) {
    leader.ingest().start();
    leader.start_worker();
    REQUIRE(leader.wait_for(LeaderStatus::State::leading));
    follower.start();
    REQUIRE(follower.becomes(LeaderStatus::State::following));
}

std::string undisturbed() {
    TestDatabase database;
    LaneRig rig{database};
    rig.ingest().start();
    rig.start_worker();
    return story(database, rig, [] {});
}

server::PqConnection lane_session(TestDatabase& database) { return server::PqConnection{database.dsn(server::pg::Role::lane).text()}; }

}  // namespace

TEST_CASE("of two processes one leads and the other follows, and takes over when the leader stops") {
    const auto expected = undisturbed();
    TestDatabase database;
    LaneRig rig{database};
    OtherProcess other{database};
    lead_and_follow(rig, other);
    CHECK(other.text() == "following test");
    CHECK(other.ready());
    const auto found = story(database, rig, [&] {
        // The follower reads what the leader has done, so that it need not begin at the begin of the log.
        CHECK(wait_until([&] { return other.applied() == 40; }));
        CHECK(other.state() == LeaderStatus::State::following);
        rig.worker().stop();
        CHECK(other.becomes(LeaderStatus::State::leading));
        CHECK(other.applied() == 40);
    });
    CHECK(found == expected);
    CHECK(database.ask("SELECT string_agg(DISTINCT owner, ' ') FROM lane") == "other");
}

TEST_CASE("a leader that loses its session hands over and follows") {
    const auto expected = undisturbed();
    TestDatabase database;
    LaneRig rig{database};
    OtherProcess other{database};
    lead_and_follow(rig, other);
    const auto found = story(database, rig, [&] {
        // It comes back after some 50 ms; by then the other one, which asks every 20 ms, has the lock as a rule.
        for (int attempt = 0; attempt < 5 && other.state() != LeaderStatus::State::leading; ++attempt) {
            database.run("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7094664 AND granted");
            std::this_thread::sleep_for(100ms);
            CHECK(wait_until([&] { return rig.worker().ready() && other.ready(); }));
        }
        CHECK(other.state() == LeaderStatus::State::leading);
        CHECK(rig.wait_for(LeaderStatus::State::following));
    });
    CHECK(found == expected);
}

TEST_CASE("only a leader that says nothing for long is taken to stand still") {
    TestDatabase database;
    auto first = lane_session(database);
    auto second = lane_session(database);
    server::PqLeadership leader{first, 300ms};
    server::PqLeadership follower{second, 300ms};
    REQUIRE(leader.acquire());
    leader.beat();
    CHECK_FALSE(follower.acquire());
    CHECK_FALSE(follower.end_silent_leader());
    CHECK(wait_until([&] { return follower.end_silent_leader(); }));
    CHECK(wait_until([&] { return follower.acquire(); }));
    CHECK_THROWS_AS(first.run("SELECT 1"), server::PqError);
    CHECK(second.run("SELECT current_user").text(0, 0) == "catenary_lane");
}
