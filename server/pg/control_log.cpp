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
constexpr const char* known_key_sql = "SELECT content, position FROM idempotency_key WHERE key = $1";
constexpr const char* keep_key_sql = "INSERT INTO idempotency_key (tenant, key, content, position) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
constexpr const char* drop_keys_sql = "DELETE FROM idempotency_key WHERE created < clock_timestamp() - interval '1 day'";
constexpr const char* refusal_sql = "SELECT detail FROM incident_activity WHERE number = $1 AND position = $2 AND what = $3";
constexpr const char* line_sql = "SELECT at, actor, what, detail FROM incident_activity WHERE number = $1 AND position = $2 ORDER BY line LIMIT 1";
constexpr const char* incident_of_sql = "SELECT incident FROM finding WHERE id = $1::uuid";

/// The entry that a request of this key made before, if there is one.
StoreResult<std::optional<engine::Position>> made_before(TenantTransaction& transaction, const std::string& kind, const std::string& body,
                                                         const std::string& key) {
    if (key.empty()) return std::optional<engine::Position>{};
    const auto known = transaction.exec_params(known_key_sql, key);
    if (known.empty()) return std::optional<engine::Position>{};
    if (kind + ' ' + body != known[0][0].c_str()) return StoreError{StoreErrorCode::refused_by_engine, "this Idempotency-Key was sent with another request"};
    return std::optional{engine::Position{known[0][1].as<std::int64_t>()}};
}

}  // namespace

api::ports::Outcome<engine::Position> PgControlLog::watermark(const api::Caller& caller, const engine::WatermarkCall& call) {
    const auto body = api::json::control_to_text(call);
    auto position = tenant_transaction(pool_, caller, Access::write,
                                       [&](TenantTransaction& transaction) { return append_control(transaction, caller.tenant, "watermark", body); });
    if (position && appended_) appended_();
    return to_outcome(std::move(position), "watermark");
}

StoreResult<engine::Position> PgControlLog::applied(const api::Caller& caller, const IncidentEntry& entry) {
    const auto append = [&](TenantTransaction& transaction) -> StoreResult<Appended> {
        const auto lane = lane_of(transaction, caller);
        const auto before = made_before(transaction, entry.kind, entry.body, entry.idempotency_key);
        if (!before) return before.error();
        if (*before) return Appended{**before, lane};
        const auto position = append_control(transaction, caller.tenant, entry.kind, entry.body);
        const auto rows = transaction.exec_params(current_sql, entry.number.value(), lane, position.value());
        if (rows.empty()) return StoreError{StoreErrorCode::not_found, fmt::format("there is no incident {}", entry.number.value())};
        if (entry.revision && rows[0][0].as<std::int64_t>() != *entry.revision) {
            return StoreError{StoreErrorCode::stale, fmt::format("incident {} has revision {} by now", entry.number.value(), rows[0][0].c_str())};
        }
        if (entry.revision && rows[0][1].as<bool>()) {
            return StoreError{StoreErrorCode::stale, fmt::format("incident {} is being changed by another edit", entry.number.value())};
        }
        if (!entry.idempotency_key.empty()) {
            transaction.exec(drop_keys_sql);
            const auto kept =
                transaction.exec_params(keep_key_sql, caller.tenant.value(), entry.idempotency_key, entry.kind + ' ' + entry.body, position.value());
            if (kept.affected_rows() == 0) return StoreError{StoreErrorCode::retry, "a request of the same key came in between"};
        }
        return Appended{position, lane};
    };
    auto appended = tenant_transaction(pool_, caller, Access::write, append);
    if (!appended && appended.error().code == StoreErrorCode::retry) appended = tenant_transaction(pool_, caller, Access::write, append);
    if (!appended) return appended.error();
    if (appended_) appended_();
    const auto waited = wait_for_lane((*appended).lane, (*appended).position);
    if (!waited) return waited.error();
    return (*appended).position;
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
    const auto position = applied(caller, {edit.number, "incident", api::json::control_to_text(edit), revision, {}});
    if (!position) return to_failure(position.error(), "edit_incident");
    return IncidentStore{pool_}.find(caller, edit.number);
}

api::ports::Outcome<engine::IncidentRecord> PgControlLog::merge(const api::Caller& caller, const engine::IncidentMerge& merge,
                                                                const std::string& idempotency_key) {
    const auto position = applied_unless(caller, {merge.into, "merge", api::json::control_to_text(merge), {}, idempotency_key}, "merge_refused");
    if (!position) return to_failure(position.error(), "merge_incidents");
    return IncidentStore{pool_}.find(caller, merge.into);
}

api::ports::Outcome<engine::IncidentRecord> PgControlLog::split(const api::Caller& caller, const engine::IncidentSplit& split,
                                                                const std::string& idempotency_key) {
    const auto position = applied_unless(caller, {split.number, "split", api::json::control_to_text(split), {}, idempotency_key}, "split_refused");
    if (!position) return to_failure(position.error(), "split_incident");
    const auto number = tenant_transaction(pool_, caller.tenant, Access::read, [&](TenantTransaction& transaction) -> StoreResult<engine::IncidentNumber> {
        const auto rows = transaction.exec_params(incident_of_sql, uuid_text(split.findings.front().value()));
        if (rows.empty() || rows[0][0].is_null()) return split.number;  // superseded since
        return engine::IncidentNumber{rows[0][0].as<std::int64_t>()};
    });
    if (!number) return to_failure(number.error(), "split_incident");
    return IncidentStore{pool_}.find(caller, *number);
}

api::ports::Outcome<engine::IncidentActivity> PgControlLog::comment(const api::Caller& caller, const engine::IncidentComment& comment,
                                                                    const std::string& idempotency_key) {
    const auto position = applied(caller, {comment.number, "comment", api::json::control_to_text(comment), {}, idempotency_key});
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
