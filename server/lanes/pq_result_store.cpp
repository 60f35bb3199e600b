#include "server/lanes/pq_result_store.hpp"

#include "api/json/control_json.hpp"
#include "server/pg/guarded.hpp"

#include <pqxx/pqxx>

namespace catenary::server {
namespace {

// A process that stands still in the middle of a transaction must not hold the lanes' rows against the one that takes over.
constexpr const char* settings_sql = "SET jit = off; SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '10s'";
constexpr const char* take_over_sql = "UPDATE lane SET epoch = epoch + 1, owner = $1 RETURNING id, epoch, done";
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

WriteFate PqResultStore::take_over(const std::string& owner, LaneLeases& leases) {
    return attempt([&](pqxx::connection& connection) {
               pqxx::work transaction{connection};
               LaneLeases taken;
               for (const auto& row : transaction.exec_params(take_over_sql, owner)) {
                   taken[row[0].as<std::int16_t>()] = {row[1].as<std::int64_t>(), engine::Position{row[2].as<std::int64_t>()}};
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
                   upsert(transaction, incident_table, tenant.incidents);
                   for (const auto& edit : tenant.stored_edits) transaction.exec_params(edit_sql, edit);
                   upsert(transaction, activity_table, tenant.activity);
                   upsert(transaction, finding_table, tenant.findings);
                   if (!tenant.emptied.empty()) transaction.exec_params(empty_sql, tenant.emptied);
                   upsert(transaction, evidence_table, tenant.evidence);
                   if (!tenant.evidence.empty()) transaction.exec_params(mark_evidence_sql, tenant.evidence);
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
