#include "tests/server/lanes/lane_rig.hpp"

#include "api/documents/pattern_document.hpp"

#include <thread>

namespace catenary::tests {
namespace {

using namespace std::chrono_literals;

constexpr const char* pattern_text = R"({"id":"risky-sign-in-then-inbox-rule","title":"Risky sign-in, then an inbox rule","severity":"high","order":"sequence",
    "within":"4h","link":{"same":["account"]},"stages":[{"id":"access","match":{"domain":"identity","name":"risky_sign_in"}},
    {"id":"persistence","match":{"name":"inbox_rule"}}]})";

// Positions of records and tenant_status depend on where transactions ended; everything else is the engine's word.
constexpr const char* dump_sql = R"(
    SELECT coalesce(string_agg(line, E'\n' ORDER BY line), '') FROM (
        SELECT 'finding ' || (to_jsonb(f) - 'position')::text AS line FROM finding f
        UNION ALL SELECT 'evidence ' || to_jsonb(e)::text FROM finding_evidence e
        UNION ALL SELECT 'incident ' || (to_jsonb(i) - 'position')::text FROM incident i
        UNION ALL SELECT 'activity ' || to_jsonb(a)::text FROM incident_activity a
        UNION ALL SELECT 'near_miss ' || (to_jsonb(m) - 'position')::text FROM near_miss m
        UNION ALL SELECT 'late ' || to_jsonb(l)::text FROM late_signal l) AS lines)";

}  // namespace

bool wait_until(const std::function<bool()>& done) {
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    while (!done()) {
        if (std::chrono::steady_clock::now() > give_up) return false;
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

LaneRig::LaneRig(TestDatabase& database, server::LaneWorkerOptions options) : database_{database}, options_{std::move(options)}, ingest_{database} {
    options_.dsn = database.dsn(server::pg::Role::lane).text();
    options_.owner = "test";
}

void LaneRig::start_worker() {
    // A clock far from the story: no tenant is live, no tick comes in between.
    const auto clock = [] { return story_begin + std::chrono::hours{24 * 365}; };
    worker_ = std::make_unique<server::LaneWorker>(options_, two_stage_catalogue(), clock, ingest_.watermarks, ingest_.sources, ingest_.hand_off, progress_);
    worker_->start();
}

void LaneRig::restart_worker() {
    worker_.reset();
    start_worker();
}

bool LaneRig::settle() {
    return wait_until([this] { return database_.ask("SELECT count(*) FROM batch b JOIN lane l ON l.id = b.lane WHERE b.last > l.done") == "0"; });
}

bool LaneRig::wait_for(server::LeaderStatus::State state) {
    return wait_until([&] { return worker_->status().state == state; });
}

engine::Catalogue two_stage_catalogue() {
    return {std::make_shared<const engine::Pattern>(api::documents::stored_pattern(pattern_text, 1, engine::Mode::production))};
}

BatchBuilder::Item sign_in(const std::string& id, const std::string& account, std::chrono::microseconds after) {
    auto made = item(id, after);
    made.source = "entra_id";
    made.domain = "identity";
    made.name = "risky_sign_in";
    made.title = "Risky sign-in";
    made.tactics = {"TA0001"};
    made.techniques = {"T1078"};
    made.confidence = 0.4;
    made.entities = {{"account", account, "actor", true}, {"ip", "203.0.113.7", "source", true}};
    made.attributes = R"({"country":"RO"})";
    return made;
}

BatchBuilder::Item inbox_rule(const std::string& id, const std::string& account, std::chrono::microseconds after) {
    auto made = item(id, after);
    made.source = "mail";
    made.domain = "email";
    made.name = "inbox_rule";
    made.tactics = {"TA0003"};
    made.techniques = {"T1564.008"};
    made.entities = {{"account", account, "actor", true}};
    return made;
}

std::string result_dump(TestDatabase& database) { return database.ask(dump_sql); }

}  // namespace catenary::tests
