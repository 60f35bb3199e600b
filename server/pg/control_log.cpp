#include "server/pg/control_log.hpp"

#include "api/json/control_json.hpp"
#include "server/pg/control_entry.hpp"
#include "server/pg/incident_store.hpp"
#include "server/pg/tenant_lane.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::server::pg {
namespace {

// One statement, so one snapshot: the incident, and whether an edit of it waits that the lane has not applied (it will change the revision).
constexpr const char* current_sql = R"(
    SELECT i.revision,
           EXISTS (SELECT FROM control c
                   WHERE c.kind = 'incident' AND c.position > (SELECT done FROM lane WHERE id = $2) AND c.position < $3
                     AND (c.body::json ->> 'number')::int8 = $1)
    FROM incident i WHERE i.number = $1)";
constexpr const char* done_sql = "SELECT done FROM lane WHERE id = $1";

struct Appended {
    engine::Position position;
    std::int16_t lane;
};

StoreResult<Appended> append_edit(pqxx::work& transaction, const api::Caller& caller, const engine::IncidentEdit& edit, std::optional<std::int64_t> revision) {
    const auto lane = lane_of(transaction, caller);
    const auto position = append_control(transaction, caller.tenant, "incident", api::json::control_to_text(edit));
    const auto rows = transaction.exec_params(current_sql, edit.number.value(), lane, position.value());
    if (rows.empty()) return StoreError{StoreErrorCode::not_found, fmt::format("there is no incident {}", edit.number.value())};
    if (revision && rows[0][0].as<std::int64_t>() != *revision) {
        return StoreError{StoreErrorCode::stale, fmt::format("incident {} has revision {} by now", edit.number.value(), rows[0][0].c_str())};
    }
    if (revision && rows[0][1].as<bool>()) {
        return StoreError{StoreErrorCode::stale, fmt::format("incident {} is being changed by another edit", edit.number.value())};
    }
    return Appended{position, lane};
}

}  // namespace

api::ports::Outcome<engine::Position> PgControlLog::watermark(const api::Caller& caller, const engine::WatermarkCall& call) {
    const auto body = api::json::control_to_text(call);
    auto position = tenant_transaction(pool_, caller, Access::write,
                                       [&](pqxx::work& transaction) { return append_control(transaction, caller.tenant, "watermark", body); });
    if (position && appended_) appended_();
    return to_outcome(std::move(position), "watermark");
}

api::ports::Outcome<engine::IncidentRecord> PgControlLog::edit(const api::Caller& caller, const engine::IncidentEdit& edit,
                                                               std::optional<std::int64_t> revision) {
    const auto appended =
        tenant_transaction(pool_, caller, Access::write, [&](pqxx::work& transaction) { return append_edit(transaction, caller, edit, revision); });
    if (!appended) return to_failure(appended.error(), "edit_incident");
    if (appended_) appended_();
    const auto waited = wait_for_lane((*appended).lane, (*appended).position);
    if (!waited) return to_failure(waited.error(), "edit_incident");
    return IncidentStore{pool_}.find(caller, edit.number);
}

StoreResult<bool> PgControlLog::wait_for_lane(std::int16_t lane, engine::Position position) {
    using std::chrono::milliseconds;
    const auto deadline = std::chrono::steady_clock::now() + patience_;
    // This process's lane worker says when it is there; another process's is asked through the database, less and less often.
    for (milliseconds interval{5};; interval = std::min(interval * 2, milliseconds{100})) {
        if (progress_.wait(lane, position, std::min(deadline, std::chrono::steady_clock::now() + interval))) return true;
        const auto done = tenant_transaction(pool_, std::nullopt, Access::read,
                                             [&](pqxx::work& transaction) { return transaction.exec_params1(done_sql, lane)[0].as<std::int64_t>(); });
        if (done && *done >= position.value()) return true;
        if (std::chrono::steady_clock::now() >= deadline) {
            if (!done) return done.error();
            return StoreError{StoreErrorCode::not_applied, "the change is recorded; the engine is behind and will apply it: read again later"};
        }
    }
}

}  // namespace catenary::server::pg
