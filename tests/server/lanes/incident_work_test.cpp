#include "server/lanes/result_rows.hpp"
#include "server/lanes/result_store.hpp"
#include "server/pg/control_log.hpp"
#include "server/pg/finding_store.hpp"
#include "server/pg/incident_store.hpp"
#include "server/pg/reply_store.hpp"
#include "server/pg/setting_store.hpp"
#include "tests/server/lanes/lane_rig.hpp"
#include "tests/server/pg/stored_results.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

// Merges, splits, comments and settings from the request to the rows, through the log and a running lane.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using api::ports::FailureCode;
using engine::IncidentNumber;
using server::LeaderStatus;

namespace {

struct Desk {
    Desk() {
        rig.ingest().start();
        rig.start_worker();
        REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    }
    void story(const std::string& account, std::chrono::microseconds after) {
        const auto posted =
            rig.ingest().post(tenant.caller.tenant, {sign_in(account + "-1", account, after), inbox_rule(account + "-2", account, after + 30min)});
        CHECK(summary(posted) == "aa");
        REQUIRE(rig.settle());
    }
    engine::IncidentMerge merge(std::int64_t into, std::int64_t other) const { return {IncidentNumber{into}, {IncidentNumber{other}}, "one intruder", "k"}; }
    engine::FindingId finding_of(const std::string& account) {
        api::ports::FindingFilter filter;
        filter.entities = {{"account", account}};
        const auto page = findings.page(tenant.caller, filter, {});
        REQUIRE(page.has_value());
        REQUIRE(page->items.size() == 1);
        return page->items[0].record.id;
    }
    IncidentNumber incident_of(const std::string& account) { return *findings.find(tenant.caller, finding_of(account))->record.incident; }

    TestDatabase database;
    TestTenant tenant = database.add_tenant("first");
    LaneRig rig{database};
    server::pg::PgControlLog log{database.api(), rig.progress(), [this] { rig.worker().nudge(); }};
    server::pg::IncidentStore incidents{database.api()};
    server::pg::FindingStore findings{database.api()};
};

/// A request with an idempotency key, claimed as the server does.
struct Asked {
    Asked(Desk& desk, const std::string& key) : caller{desk.tenant.caller} {
        api::http::Request request;
        request.method = api::http::Method::post;
        request.target = "/api/v1/incidents/1/comments";
        request.idempotency_key = key;
        auto claimed = server::pg::ReplyStore{desk.database.api()}.claim(request, caller, desk.tenant.key);
        REQUIRE(claimed.has_value());
        claim = *std::move(claimed);
        caller.effect_key = claim.effect.get();
    }
    api::Caller caller;
    server::net::RememberedReplies::Claim claim;
};

}  // namespace

TEST_CASE("merged incidents answer as one and a split takes a finding out again, also after a restart") {
    Desk desk;
    const auto& caller = desk.tenant.caller;
    desk.story("a@corp.example", 0s);
    desk.story("b@corp.example", 1h);
    const auto merged = desk.log.merge(caller, desk.merge(2, 1));
    REQUIRE(merged.has_value());
    CHECK(merged->number == IncidentNumber{2});
    CHECK(merged->finding_count == 2);
    CHECK((*desk.incidents.find(caller, IncidentNumber{1})).merged_into == IncidentNumber{2});
    CHECK(desk.incidents.page(caller, {}, {})->items.size() == 1);
    api::ports::IncidentFilter all;
    all.include_redirected = true;
    CHECK(desk.incidents.page(caller, all, {})->items.size() == 2);

    const auto refused = desk.log.merge(caller, desk.merge(2, 1));
    REQUIRE(refused.has_error());
    CHECK(refused.error().code == FailureCode::conflict);
    CHECK(refused.error().detail == "incident 1 is part of incident 2");

    auto before = result_dump(desk.database);
    desk.rig.restart_worker();
    REQUIRE(desk.rig.wait_for(LeaderStatus::State::leading));
    CHECK(result_dump(desk.database) == before);
    CHECK(summary(desk.rig.ingest().post(caller.tenant, {inbox_rule("more", "a@corp.example", 50min)})) == "a");
    REQUIRE(desk.rig.settle());
    CHECK((*desk.incidents.find(caller, IncidentNumber{2})).signal_count == 5);

    const auto split = desk.log.split(caller, {IncidentNumber{2}, {desk.finding_of("b@corp.example")}, "another matter", "k"});
    REQUIRE(split.has_value());
    CHECK(split->number == IncidentNumber{3});
    CHECK(desk.incident_of("a@corp.example") == IncidentNumber{2});
    CHECK(desk.incident_of("b@corp.example") == IncidentNumber{3});
    const auto again = desk.log.split(caller, {IncidentNumber{3}, {desk.finding_of("b@corp.example")}, "", "k"});
    CHECK(again.error().detail == "at least one finding has to stay");

    before = result_dump(desk.database);
    desk.rig.restart_worker();
    REQUIRE(desk.rig.wait_for(LeaderStatus::State::leading));
    desk.story("c@corp.example", 2h);
    CHECK(desk.incident_of("c@corp.example") == IncidentNumber{4});
    CHECK(desk.incident_of("b@corp.example") == IncidentNumber{3});
}

TEST_CASE("a comment whose reply was lost is written once, and a repeat answers what it became") {
    Desk desk;
    const auto& caller = desk.tenant.caller;
    desk.story("a@corp.example", 0s);
    const engine::IncidentComment comment{IncidentNumber{1}, "seen before", "k"};
    Asked first{desk, "key-1"};
    const auto line = desk.log.comment(first.caller, comment);
    REQUIRE(line.has_value());
    first.claim.effect.reset();  // the process ends after the entry's commit, before the reply is kept
    Asked second{desk, "key-1"};
    CHECK(second.caller.repeats());
    const auto again = desk.log.comment(second.caller, comment);
    REQUIRE(again.has_value());
    CHECK(again->position == line->position);
    CHECK(again->detail == "seen before");
    CHECK(desk.database.ask("SELECT count(*) FROM control WHERE kind = 'comment'") == "1");
    REQUIRE(second.claim.effect->keep({201, "application/json", {}, "{}"}).has_value());
    Asked third{desk, "key-1"};
    CHECK(third.claim.state == server::net::RememberedReplies::State::answered);
    CHECK(desk.log.comment(caller, comment).has_value());  // without a key it is another one
    CHECK(desk.incidents.activity(caller, IncidentNumber{1}, {"commented"}, {})->items.size() == 2);
}

TEST_CASE("merges and splits whose replies were lost answer as they would have") {
    Desk desk;
    desk.story("a@corp.example", 0s);
    desk.story("b@corp.example", 1h);
    for (int run = 0; run < 2; ++run) {
        Asked merging{desk, "merge"};
        CHECK(merging.caller.repeats() == (run == 1));
        const auto merged = desk.log.merge(merging.caller, desk.merge(2, 1));
        REQUIRE(merged.has_value());
        CHECK(merged->number == IncidentNumber{2});
    }
    const auto split_off = desk.finding_of("b@corp.example");
    for (int run = 0; run < 2; ++run) {
        Asked splitting{desk, "split"};
        const auto split = desk.log.split(splitting.caller, {IncidentNumber{2}, {split_off}, "another matter", "k"});
        REQUIRE(split.has_value());
        CHECK(split->number == IncidentNumber{3});
    }
    for (int run = 0; run < 2; ++run) {
        Asked refused{desk, "refused"};
        CHECK(refused.caller.repeats() == (run == 1));
        CHECK(desk.log.merge(refused.caller, desk.merge(2, 1)).error().detail == "incident 1 is part of incident 2");
    }
    CHECK(desk.database.ask("SELECT string_agg(kind, ' ' ORDER BY position) FROM control") == "merge split merge");
}

TEST_CASE("a change of an incident that cannot be made leaves neither entry nor key") {
    Desk desk;
    desk.story("a@corp.example", 0s);
    {
        Asked asked{desk, "key"};
        CHECK(desk.log.comment(asked.caller, {IncidentNumber{9}, "nobody", "k"}).error().code == FailureCode::not_found);
    }
    CHECK(desk.database.ask("SELECT count(*) FROM control") == "0");
    CHECK(desk.database.ask("SELECT count(*) FROM remembered_reply") == "0");
}

TEST_CASE("requests of one key that come at once are one") {
    Desk desk;
    desk.story("a@corp.example", 0s);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            Asked asked{desk, "same"};
            if (asked.claim.effect) static_cast<void>(desk.log.comment(asked.caller, {IncidentNumber{1}, "once", "k"}));
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(desk.database.ask("SELECT count(*) FROM control WHERE kind = 'comment'") == "1");
}

TEST_CASE("labels are stored and an incident is found by them") {
    Desk desk;
    const auto& caller = desk.tenant.caller;
    desk.story("a@corp.example", 0s);
    engine::IncidentEdit edit;
    edit.number = IncidentNumber{1};
    edit.labels = {"drill", "vip"};
    edit.actor = "k";
    CHECK(desk.log.edit(caller, edit, std::nullopt)->labels == std::vector<std::string>{"drill", "vip"});
    api::ports::IncidentFilter filter;
    filter.labels = {"vip"};
    CHECK(desk.incidents.page(caller, filter, {})->items.size() == 1);
    filter.labels = {"apt"};
    CHECK(desk.incidents.page(caller, filter, {})->items.empty());
}

TEST_CASE("a settings change is stored with its revision and reaches the engine") {
    Desk desk;
    const auto& caller = desk.tenant.caller;
    server::pg::SettingStore store{desk.database.api(), [&] { desk.rig.worker().nudge(); }};
    CHECK(store.read(caller)->values == api::ports::TenantSettings{});
    CHECK(store.read(caller)->revision == 0);
    const api::ports::TenantSettings wanted{2h, 3h, 0.002, 4};
    const auto changed = store.change(caller, wanted, 0);
    REQUIRE(changed.has_value());
    CHECK(changed->revision == 1);
    CHECK(changed->values == wanted);
    CHECK(changed->changed_by == caller.key_id);
    CHECK(changed->changed.has_value());
    CHECK(store.change(caller, {}, 0).error().code == FailureCode::stale);
    CHECK(desk.database.ask("SELECT count(*) FROM control WHERE kind = 'setting'") == "1");
    desk.story("a@corp.example", 0s);
    CHECK(desk.database.ask("SELECT lateness FROM tenant_status") == "02:00:00");
    CHECK(desk.database.ask("SELECT round((score_detail::json ->> 'prior')::numeric, 6) FROM finding") == "-8.962896");  // log2(0.002 / 0.998)
    const auto other = desk.database.add_tenant("second");
    CHECK(store.read(other.caller)->revision == 0);
    CHECK(store.change(other.caller, wanted, 0).has_value());
}

TEST_CASE("an edit of an incident that left the engine's memory changes the stored row, as one that is held would be") {
    TestDatabase database;
    const auto tenant = database.add_tenant("first");
    add_incidents(database, tenant.caller.tenant, 3);
    database.run("UPDATE incident SET status = 'closed', classification_reason = 'seen' WHERE number = 3");
    const auto make = [&](const engine::IncidentEdit& edit) {
        engine::TenantEffects effects;
        effects.tenant = tenant.caller.tenant;
        effects.stored_edits.push_back({edit, engine::Position{77}, story_begin});
        const auto rows = server::result_rows(effects, engine::Position{77}, {}, {}, {});
        REQUIRE(rows.stored_edits.size() == 1);
        CHECK(rows.visible());
        pqxx::connection connection{database.dsn(server::pg::Role::lane).text()};
        pqxx::work transaction{connection};
        transaction.exec_params(server::edit_sql, rows.stored_edits[0]);
        transaction.commit();
    };
    engine::IncidentEdit edit;
    edit.number = IncidentNumber{3};
    edit.owner = "kim";
    edit.labels = {"old"};
    make(edit);
    CHECK(database.ask(
              "SELECT concat_ws(' ', status, classification, classification_reason, owner, labels::text, revision, position) FROM incident WHERE number = 3") ==
          "closed true_positive seen kim {old} 2 77");
    edit = {};
    edit.number = IncidentNumber{3};
    edit.status = engine::IncidentStatus::active;
    make(edit);
    CHECK(database.ask("SELECT concat_ws('|', status, coalesce(classification, '-'), classification_reason, owner, revision) FROM incident WHERE number = 3") ==
          "active|-||kim|3");
    edit.status = engine::IncidentStatus::closed;
    edit.classification = engine::Classification::undetermined;
    edit.title = "Renamed";
    edit.severity = engine::Severity::high;
    make(edit);
    CHECK(database.ask("SELECT concat_ws('|', status, classification, title, severity, revision) FROM incident WHERE number = 3") ==
          "closed|undetermined|Renamed|3|4");
    CHECK(database.ask("SELECT count(*) FROM incident WHERE revision > 1") == "1");
}
