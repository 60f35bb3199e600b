#include "server/pg/control_log.hpp"

#include "api/json/control_json.hpp"
#include "server/pg/control_entry.hpp"
#include "server/pg/incident_store.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_lane.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::server::pg {
namespace {

// One statement, so one snapshot: the incident, and whether an entry about it waits that the lane has not applied (it will change the revision).
constexpr const char* current_sql = R"(
    SELECT i.revision,
           EXISTS (SELECT FROM control c
                   WHERE c.kind IN ('incident', 'comment', 'merge', 'split') AND c.position > (SELECT done FROM lane WHERE id = $2) AND c.position < $3
                     AND ((c.body::json ->> 'number')::int8 = $1 OR (c.body::json ->> 'into')::int8 = $1 OR c.body::jsonb -> 'numbers' @> to_jsonb($1::int8)))
    FROM incident i WHERE i.number = $1)";
constexpr const char* done_sql = "SELECT done FROM lane WHERE id = $1";
constexpr const char* refusal_sql = "SELECT detail FROM incident_activity WHERE number = $1 AND position = $2 AND what = $3";
constexpr const char* line_sql = "SELECT at, actor, what, detail FROM incident_activity WHERE number = $1 AND position = $2 ORDER BY line LIMIT 1";
constexpr const char* incident_of_sql = "SELECT incident FROM finding WHERE id = $1::uuid";

}  // namespace

api::ports::Outcome<engine::Position> PgControlLog::watermark(const api::Caller& caller, const engine::WatermarkCall& call) {
    const auto body = api::json::control_to_text(call);
    auto position = tenant_transaction(pool_, caller, Access::write,
                                       [&](TenantTransaction& transaction) { return append_control(transaction, caller.tenant, "watermark", body); });
    if (position) after_commit(caller, appended_);
    return to_outcome(std::move(position), "watermark");
}

StoreResult<PgControlLog::Appended> PgControlLog::append(const api::Caller& caller, const IncidentEntry& entry) {
    auto appended = tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) -> StoreResult<Appended> {
        const auto lane = lane_of(transaction, caller);
        const auto position = append_control(transaction, caller.tenant, entry.kind, entry.body);
        const auto rows = transaction.exec_params(current_sql, entry.number.value(), lane, position.value());
        if (rows.empty()) return StoreError{StoreErrorCode::not_found, fmt::format("there is no incident {}", entry.number.value())};
        if (entry.revision && rows[0][0].as<std::int64_t>() != *entry.revision) {
            return StoreError{StoreErrorCode::stale, fmt::format("incident {} has revision {} by now", entry.number.value(), rows[0][0].c_str())};
        }
        if (entry.revision && rows[0][1].as<bool>()) {
            return StoreError{StoreErrorCode::stale, fmt::format("incident {} is being changed by another edit", entry.number.value())};
        }
        return Appended{position, lane};
    });
    if (!appended) return appended;
    after_commit(caller, appended_);
    if (auto* effect = KeyedEffect::of(caller)) {
        // The lane sees what is committed, so the key is committed with the entry and before the reply.
        const auto committed = effect->commit_at((*appended).position);
        if (!committed) return committed.error();
    }
    return appended;
}

StoreResult<engine::Position> PgControlLog::applied(const api::Caller& caller, const IncidentEntry& entry) {
    const auto appended = caller.repeats() ? appended_before(caller) : append(caller, entry);
    if (!appended) return appended.error();
    const auto waited = wait_for_lane((*appended).lane, (*appended).position);
    if (!waited) return waited.error();
    return (*appended).position;
}

StoreResult<PgControlLog::Appended> PgControlLog::appended_before(const api::Caller& caller) {
    return tenant_transaction(pool_, caller.tenant, Access::read, [&](TenantTransaction& transaction) {
        return Appended{*caller.effect_key->written(), lane_of(transaction, caller)};
    });
}

/// The engine's refusal of a merge or split is in the history of its incident.
StoreResult<engine::Position> PgControlLog::applied_unless(const api::Caller& caller, const IncidentEntry& entry, const char* refused) {
    const auto position = applied(caller, entry);
    if (!position) return position;
    return tenant_transaction(pool_, caller.tenant, Access::read, [&](TenantTransaction& transaction) -> StoreResult<engine::Position> {
        const auto refusal = transaction.exec_params(refusal_sql, entry.number.value(), (*position).value(), refused);
        if (!refusal.empty()) return StoreError{StoreErrorCode::refused_by_engine, refusal[0][0].c_str()};
        return *position;
    });
}

api::ports::Outcome<engine::IncidentRecord> PgControlLog::edit(const api::Caller& caller, const engine::IncidentEdit& edit,
                                                               std::optional<std::int64_t> revision) {
    const auto position = applied(caller, {edit.number, "incident", api::json::control_to_text(edit), revision});
    if (!position) return to_failure(position.error(), "edit_incident");
    return IncidentStore{pool_}.find(caller, edit.number);
}

api::ports::Outcome<engine::IncidentRecord> PgControlLog::merge(const api::Caller& caller, const engine::IncidentMerge& merge) {
    const auto position = applied_unless(caller, {merge.into, "merge", api::json::control_to_text(merge), {}}, "merge_refused");
    if (!position) return to_failure(position.error(), "merge_incidents");
    return IncidentStore{pool_}.find(caller, merge.into);
}

api::ports::Outcome<engine::IncidentRecord> PgControlLog::split(const api::Caller& caller, const engine::IncidentSplit& split) {
    const auto position = applied_unless(caller, {split.number, "split", api::json::control_to_text(split), {}}, "split_refused");
    if (!position) return to_failure(position.error(), "split_incident");
    const auto number = tenant_transaction(pool_, caller.tenant, Access::read, [&](TenantTransaction& transaction) -> StoreResult<engine::IncidentNumber> {
        const auto rows = transaction.exec_params(incident_of_sql, uuid_text(split.findings.front().value()));
        if (rows.empty() || rows[0][0].is_null()) return split.number;  // superseded since
        return engine::IncidentNumber{rows[0][0].as<std::int64_t>()};
    });
    if (!number) return to_failure(number.error(), "split_incident");
    return IncidentStore{pool_}.find(caller, *number);
}

api::ports::Outcome<engine::IncidentActivity> PgControlLog::comment(const api::Caller& caller, const engine::IncidentComment& comment) {
    const auto position = applied(caller, {comment.number, "comment", api::json::control_to_text(comment), {}});
    if (!position) return to_failure(position.error(), "comment_incident");
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read,
                                         [&](TenantTransaction& transaction) -> StoreResult<engine::IncidentActivity> {
                                             const auto rows = transaction.exec_params(line_sql, comment.number.value(), (*position).value());
                                             if (rows.empty())
                                                 return StoreError{StoreErrorCode::not_found, "the incident was merged into another; comment on that one"};
                                             return engine::IncidentActivity{comment.number,     *position,          timestamp_from(rows[0][0]),
                                                                             rows[0][1].c_str(), rows[0][2].c_str(), rows[0][3].c_str()};
                                         }),
                      "comment_incident");
}

StoreResult<bool> PgControlLog::wait_for_lane(std::int16_t lane, engine::Position position) {
    using std::chrono::milliseconds;
    const auto deadline = std::chrono::steady_clock::now() + patience_;
    // This process's lane worker says when it is there; another process's is asked through the database, less and less often.
    for (milliseconds interval{5};; interval = std::min(interval * 2, milliseconds{100})) {
        if (progress_.wait(lane, position, std::min(deadline, std::chrono::steady_clock::now() + interval))) return true;
        const auto done = tenant_transaction(pool_, std::nullopt, Access::read,
                                             [&](TenantTransaction& transaction) { return transaction.exec_params1(done_sql, lane)[0].as<std::int64_t>(); });
        if (done && *done >= position.value()) return true;
        if (std::chrono::steady_clock::now() >= deadline) {
            return StoreError{
                StoreErrorCode::not_applied,
                fmt::format("the change is written to the log at position {}; the engine is behind and will apply it: do not send it again, read the "
                            "incident or its activity later",
                            position.value())};
        }
    }
}

}  // namespace catenary::server::pg
