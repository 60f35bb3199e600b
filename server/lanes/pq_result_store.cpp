#include "server/lanes/pq_result_store.hpp"

#include "api/json/control_json.hpp"
#include "server/pg/guarded.hpp"
#include "server/pg/stored_incidents.hpp"

#include <pqxx/pqxx>

namespace catenary::server {
namespace {

// A process that stands still in the middle of a transaction must not hold the lanes' rows against the one that takes over.
constexpr const char* settings_sql = "SET jit = off; SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '10s'";
constexpr const char* take_over_sql = "UPDATE lane SET epoch = epoch + 1, owner = $1 RETURNING id, epoch, done";
constexpr const char* made_by_sql =
    "INSERT INTO understanding (engine, catalogue, since) SELECT $1, $2, coalesce($3::int8, next_position - 1) FROM log "
    "ON CONFLICT (one) DO UPDATE SET engine = excluded.engine, catalogue = excluded.catalogue, since = excluded.since";
constexpr const char* drop_snapshots_sql = "DELETE FROM snapshot; DELETE FROM snapshot_source";
constexpr const char* origin_sql =
    "SELECT u.engine, u.catalogue, u.since, EXISTS (SELECT FROM lane WHERE done > 0), r.gone_until FROM retention r LEFT JOIN understanding u ON true";
constexpr const char* tenants_sql = "SELECT t.id, coalesce((SELECT max(i.number) FROM incident i WHERE i.tenant = t.id), 0) FROM tenant t WHERE t.lane = $1";
constexpr const char* move_sql = "UPDATE lane SET done = $1 WHERE id = $2 AND epoch = $3 AND done = $4";
constexpr const char* lane_sql = "SELECT epoch, done FROM lane WHERE id = $1";
constexpr const char* tick_sql = "SELECT append_control($1, 'tick', $2)";
constexpr const char* empty_sql =
    "DELETE FROM finding_evidence e USING json_to_recordset($1::json) AS r(tenant int4, id uuid) WHERE e.tenant = r.tenant AND e.finding = r.id";
// Evidence is written with the mark that its signal has; marks of this transaction are written before.
constexpr const char* mark_evidence_sql =
    "UPDATE finding_evidence e SET late = true FROM json_to_recordset($1::json) AS r(tenant int4, finding uuid, key uuid), late_signal l "
    "WHERE l.tenant = r.tenant AND l.key = r.key AND e.tenant = r.tenant AND e.finding = r.finding AND e.key = r.key AND NOT e.late";

void upsert(pqxx::work& transaction, const ResultTable& table, const std::string& rows) {
    if (!rows.empty()) transaction.exec_params(upsert_sql(table), rows);
}

}  // namespace

PqResultStore::PqResultStore(std::string dsn) : dsn_{std::move(dsn)} {}
PqResultStore::~PqResultStore() = default;

pqxx::connection& PqResultStore::connection() {
    if (!connection_) {
        connection_ = std::make_unique<pqxx::connection>(dsn_);
        pqxx::nontransaction{*connection_}.exec(settings_sql);
    }
    return *connection_;
}

/// Runs `work`, which returns a fate; empty when the database throws, and then the connection is made anew next time.
template <class Work>
std::optional<WriteFate> PqResultStore::attempt(Work&& work) {
    const auto result = pg::guarded([&] { return work(connection()); });
    if (result.has_value()) return *result;
    reason_ = result.error().detail;
    connection_.reset();  // a session that failed in the middle is not worth mending
    return std::nullopt;
}

WriteFate PqResultStore::take_over(const TakeOver& wanted, LaneLeases& leases) {
    return attempt([&](pqxx::connection& connection) {
               pqxx::work transaction{connection};
               LaneLeases taken;
               for (const auto& row : transaction.exec_params(take_over_sql, wanted.owner)) {
                   taken[row[0].as<std::int16_t>()] = {row[1].as<std::int64_t>(), engine::Position{row[2].as<std::int64_t>()}};
               }
               if (wanted.by) {
                   const auto since = wanted.by->since ? std::optional{wanted.by->since->value()} : std::nullopt;
                   transaction.exec_params(made_by_sql, wanted.by->engine, wanted.by->catalogue, since);
                   if (!since) transaction.exec(drop_snapshots_sql);  // of results that were made otherwise; a new one may be of the same position
               }
               transaction.commit();
               leases = std::move(taken);
               return WriteFate::committed;
           })
        .value_or(WriteFate::failed);
}

WriteFate PqResultStore::write(const std::vector<LaneMove>& moves, const std::vector<ResultRows>& rows) {
    return attempt([&](pqxx::connection& connection) {
               pqxx::work transaction{connection};
               bool visible = false;
               for (const auto& tenant : rows) visible = visible || tenant.visible();
               if (!visible) transaction.exec("SET LOCAL synchronous_commit = off");
               for (const auto& tenant : rows) {
                   upsert(transaction, late_table, tenant.late);
                   if (!tenant.rematched.empty()) transaction.exec_params(rematched_sql, tenant.rematched);
                   upsert(transaction, incident_table, tenant.incidents);
                   for (const auto& edit : tenant.stored_edits) transaction.exec_params(edit_sql, edit);
                   upsert(transaction, activity_table, tenant.activity);
                   upsert(transaction, finding_table, tenant.findings);
                   if (!tenant.emptied.empty()) transaction.exec_params(empty_sql, tenant.emptied);
                   upsert(transaction, evidence_table, tenant.evidence);
                   if (!tenant.evidence.empty()) transaction.exec_params(mark_evidence_sql, tenant.evidence);
                   upsert(transaction, near_miss_table, tenant.near_misses);
                   if (!tenant.near_misses_forgotten.empty()) transaction.exec_params(forget_near_misses_sql, tenant.near_misses_forgotten);
                   upsert(transaction, status_table, tenant.status);
               }
               outbox_.write(transaction, rows);
               for (const auto& move : moves) {
                   const auto moved = transaction.exec_params(move_sql, move.to.value(), move.lane, move.epoch, move.from.value());
                   if (moved.affected_rows() == 1) continue;
                   transaction.abort();
                   return WriteFate::fenced;
               }
               transaction.commit();
               return WriteFate::committed;
           })
        .value_or(WriteFate::failed);
}

std::optional<WriteFate> PqResultStore::find_out(const std::vector<LaneMove>& moves) {
    return attempt([&](pqxx::connection& connection) {
        pqxx::work transaction{connection};
        auto fate = WriteFate::committed;
        for (const auto& move : moves) {
            const auto row = transaction.exec_params1(lane_sql, move.lane);
            if (row[0].as<std::int64_t>() != move.epoch) return WriteFate::fenced;
            if (row[1].as<std::int64_t>() != move.to.value()) fate = WriteFate::failed;
        }
        return fate;
    });
}

std::optional<Origin> PqResultStore::origin() {
    std::optional<Origin> origin;
    attempt([&](pqxx::connection& connection) {
        pqxx::work transaction{connection};
        const auto row = transaction.exec1(origin_sql);
        origin.emplace();
        if (!row[0].is_null()) origin->made_by = Understanding{row[0].c_str(), row[1].c_str(), engine::Position{row[2].as<std::int64_t>()}};
        origin->any_results = row[3].as<bool>();
        origin->gone_until = engine::Position{row[4].as<std::int64_t>()};
        return WriteFate::committed;
    });
    return origin;
}

std::optional<std::map<engine::TenantId, engine::StoredIncidents>> PqResultStore::reported(std::int16_t lane,
                                                                                           const std::map<engine::TenantId, engine::Timestamp>& earliest) {
    std::optional<std::map<engine::TenantId, engine::StoredIncidents>> all;
    attempt([&](pqxx::connection& connection) {
        pqxx::work transaction{connection};
        std::map<engine::TenantId, engine::StoredIncidents> found;
        for (const auto& row : transaction.exec_params(tenants_sql, lane)) {
            const engine::TenantId tenant{row[0].as<std::int32_t>()};
            const auto last_number = row[1].as<std::int64_t>();
            const auto since = earliest.find(tenant);
            if (last_number == 0 && since == earliest.end()) continue;
            auto& stored = found[tenant] = pg::stored_incidents(transaction, tenant, since == earliest.end() ? std::nullopt : std::optional{since->second});
            stored.last_number = last_number;
        }
        all = std::move(found);
        return WriteFate::committed;
    });
    return all;
}

WriteFate PqResultStore::append_ticks(const std::vector<engine::TenantId>& tenants) {
    return attempt([&](pqxx::connection& connection) {
               for (const auto& tenant : tenants) {
                   pqxx::work transaction{connection};
                   transaction.exec_params(tick_sql, tenant.value(), api::json::control_to_text(engine::Tick{}));
                   transaction.commit();
               }
               return WriteFate::committed;
           })
        .value_or(WriteFate::failed);
}

}  // namespace catenary::server
