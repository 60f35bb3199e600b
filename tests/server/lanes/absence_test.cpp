#include "api/json/time_json.hpp"
#include "server/pg/control_log.hpp"
#include "server/pg/finding_store.hpp"
#include "server/pg/pattern_version_store.hpp"
#include "tests/server/lanes/lane_rig.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/uuid/uuid_io.hpp>

// What waits for absence, from the log through a lane to its rows and to readers, also over a restart from a snapshot.

using namespace catenary;
using namespace catenary::tests;
using namespace std::chrono_literals;
using engine::FindingState;
using server::LeaderStatus;

namespace {

constexpr const char* document = R"({"id":"unapproved","title":"Unapproved","severity":"high","order":"sequence","within":"4h","link":{"same":["account"]},)"
                                 R"("stages":[{"id":"access","match":{"name":"risky_sign_in"}},{"id":"rule","match":{"name":"inbox_rule"}}],)"
                                 R"("absent":[{"match":{"name":"change_approved"},"after":"rule","within":"2h"}]})";

server::LaneWorkerOptions eager() {
    server::LaneWorkerOptions options;
    options.snapshot_entries = 1;
    return options;
}

BatchBuilder::Item approval(const std::string& id, const std::string& account, std::chrono::microseconds after) {
    auto made = inbox_rule(id, account, after);
    made.name = "change_approved";
    return made;
}

struct Desk {
    Desk() {
        rig.ingest().start();
        rig.start_worker();
        REQUIRE(rig.wait_for(LeaderStatus::State::leading));
    }
    void add_pattern(const std::string& text, engine::Mode mode = engine::Mode::production) {
        api::ports::PatternVersion version;
        version.id = "unapproved";
        version.mode = mode;
        version.document_json = text;
        server::pg::PatternVersionStore patterns{database.api(), [this] { rig.worker().nudge(); }};
        REQUIRE(patterns.add(tenant.caller, version, std::nullopt).has_value());
        REQUIRE(rig.settle());
    }
    void post(const std::vector<BatchBuilder::Item>& items) {
        REQUIRE(summary(rig.ingest().post(tenant.caller.tenant, items)) == std::string(items.size(), 'a'));
        REQUIRE(rig.settle());
    }
    void move_watermark(std::chrono::microseconds after) {
        REQUIRE(log.watermark(tenant.caller, {story_begin + after, false}).has_value());
        const auto reached = fmt::format("SELECT count(*) FROM tenant_status WHERE watermark >= '{}'", api::json::format_time(story_begin + after));
        REQUIRE(wait_until([&] { return database.ask(reached) == "1"; }));
    }
    std::vector<engine::FindingRecord> listed(FindingState state) {
        api::ports::FindingFilter filter;
        filter.patterns = {"unapproved"};
        filter.states = {state};
        const auto page = findings.page(tenant.caller, filter, {});
        REQUIRE(page.has_value());
        std::vector<engine::FindingRecord> records;
        for (const auto& item : page->items) {
            CHECK(item.evidence.size() == 2);
            records.push_back(item.record);
        }
        return records;
    }
    std::string incidents_of(const engine::FindingRecord& finding) {
        return database.ask(fmt::format("SELECT count(incident) FROM finding WHERE id = '{}'", to_string(finding.id.value())));
    }

    TestDatabase database;
    TestTenant tenant = database.add_tenant("first");
    LaneRig rig{database, eager()};
    server::pg::PgControlLog log{database.api(), rig.progress(), [this] { rig.worker().nudge(); }};
    server::pg::FindingStore findings{database.api()};
};

}  // namespace

TEST_CASE("a finding waits in the store, is found by its state, and is decided after a restart") {
    Desk desk;
    desk.add_pattern(document);
    desk.post({sign_in("a-1", "ann@corp.example", 0s), inbox_rule("a-2", "ann@corp.example", 1h)});
    desk.post({sign_in("b-1", "bob@corp.example", 1min), inbox_rule("b-2", "bob@corp.example", 1h + 1min)});
    const auto waiting = desk.listed(FindingState::waiting);
    REQUIRE(waiting.size() == 2);
    CHECK(desk.listed(FindingState::open).empty());
    CHECK(waiting[0].waiting_until == story_begin + 3h + 1min + 1us);  // bob's, the later start first
    CHECK(waiting[1].waiting_until == story_begin + 3h + 1us);
    CHECK(waiting[0].absences == std::vector<std::string>{"name = change_approved within 2 h after rule"});
    CHECK(desk.incidents_of(waiting[0]) == "0");

    REQUIRE(wait_until([&] { return desk.rig.worker().status().snapshots.position.value() > 0 && desk.rig.worker().status().snapshots.stored > 0; }));
    desk.rig.restart_worker();
    REQUIRE(desk.rig.wait_for(LeaderStatus::State::leading));
    CHECK(desk.rig.worker().status().snapshots.started_from.value() > 0);
    desk.post({approval("b-3", "bob@corp.example", 2h)});
    CHECK(desk.listed(FindingState::waiting).size() == 1);
    const auto superseded = desk.listed(FindingState::superseded);
    REQUIRE(superseded.size() == 1);
    CHECK(superseded[0].id == waiting[0].id);
    CHECK_FALSE(superseded[0].waiting_until);

    desk.move_watermark(3h + 1us);
    CHECK(desk.listed(FindingState::waiting).empty());
    const auto open = desk.listed(FindingState::open);
    REQUIRE(open.size() == 1);
    CHECK(open[0].id == waiting[1].id);
    CHECK_FALSE(open[0].waiting_until);
    CHECK(desk.incidents_of(open[0]) == "1");

    desk.post({approval("a-3", "ann@corp.example", 2h)});  // too late
    const auto annotated = desk.listed(FindingState::open);
    REQUIRE(annotated.size() == 1);
    REQUIRE(annotated[0].late_answers.size() == 1);
    CHECK(annotated[0].late_answers[0].signal.id == "a-3");
    CHECK(annotated[0].late_answers[0].absence == "name = change_approved within 2 h after rule");
    CHECK(desk.incidents_of(annotated[0]) == "1");
}

TEST_CASE("a pattern posted after its signals reads what must be absent as well, by name and by attribute, and waits for what is still open") {
    for (const auto mode : {engine::Mode::production, engine::Mode::flighting}) {
        for (const bool by_attribute : {false, true}) {
            CAPTURE(std::string{to_string(mode)});
            CAPTURE(by_attribute);
            Desk desk;
            auto approved = approval("a-3", "ann@corp.example", 2h);
            if (by_attribute) approved.attributes = R"({"change":{"approved":true}})";
            auto refused = approval("b-3", "bob@corp.example", 2h);
            refused.name = by_attribute ? refused.name : "change_refused";
            refused.attributes = R"({"change":{"approved":false}})";
            desk.post({sign_in("a-1", "ann@corp.example", 0s), inbox_rule("a-2", "ann@corp.example", 1h), approved});
            desk.post({sign_in("b-1", "bob@corp.example", 0s), inbox_rule("b-2", "bob@corp.example", 1h), refused});
            desk.post({sign_in("c-1", "carl@corp.example", 3h), inbox_rule("c-2", "carl@corp.example", 4h)});
            std::string text = document;
            if (by_attribute) {
                const std::string by_name = R"({"name":"change_approved"})";
                text.replace(text.find(by_name), by_name.size(), R"({"attributes.change.approved":true})");
            }
            desk.add_pattern(text, mode);
            const auto found = [&](FindingState state) {
                return desk.database.ask(
                    fmt::format("SELECT coalesce(string_agg(source_id, '+' ORDER BY source_id), '') FROM finding_evidence e JOIN finding f ON f.id = e.finding "
                                "WHERE f.pattern = 'unapproved' AND f.state = '{}'",
                                to_string(state)));
            };
            CHECK(found(FindingState::open).empty());
            CHECK(found(FindingState::waiting) == "b-1+b-2+c-1+c-2");
            desk.move_watermark(3h + 1us);
            CHECK(found(FindingState::open) == "b-1+b-2");
            CHECK(found(FindingState::waiting) == "c-1+c-2");
        }
    }
}
