#include "server/pg/job_queue.hpp"

#include "server/pg/guarded.hpp"
#include "server/pg/sql_text.hpp"

#include <utility>

namespace catenary::server::pg {
namespace {

constexpr const char* settings_sql = "SET jit = off; SET statement_timeout = '10s'; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s'";
constexpr const char* claim_sql = R"(
    UPDATE job SET state = 'running', claims = claims + 1, started = clock_timestamp(), beat = clock_timestamp(), read = 0, total = NULL
    WHERE (tenant, id) = (SELECT j.tenant, j.id FROM job j
                          WHERE j.ended IS NULL AND (j.state = 'queued' OR j.beat < clock_timestamp() - $1 * interval '1 millisecond')
                          ORDER BY (SELECT max(o.started) FROM job o WHERE o.tenant = j.tenant) NULLS FIRST, j.created, j.id
                          LIMIT 1 FOR UPDATE OF j SKIP LOCKED)
    RETURNING tenant, id, claims, pattern, version, inline, document, from_time, to_time)";
constexpr const char* beat_sql =
    "UPDATE job SET beat = clock_timestamp(), read = $4, total = $5 WHERE tenant = $1 AND id = $2::uuid AND claims = $3 AND state = 'running'";
constexpr const char* done_sql =
    "UPDATE job SET state = 'done', ended = clock_timestamp(), read = $4, result = $5 WHERE tenant = $1 AND id = $2::uuid AND claims = $3 AND state = "
    "'running'";
constexpr const char* failed_sql =
    "UPDATE job SET state = 'failed', ended = clock_timestamp(), error = $4 WHERE tenant = $1 AND id = $2::uuid AND claims = $3 AND state = 'running'";
constexpr const char* release_sql =
    "UPDATE job SET state = 'queued', claims = claims - 1 WHERE tenant = $1 AND id = $2::uuid AND claims = $3 AND state = 'running'";
constexpr const char* forget_sql = "DELETE FROM job WHERE ended < clock_timestamp() - $1 * interval '1 hour'";

ClaimedJob claimed_from(const pqxx::row& row) {
    ClaimedJob job;
    job.tenant = engine::TenantId{row[0].as<std::int32_t>()};
    job.id = row[1].c_str();
    job.claim = row[2].as<std::int32_t>();
    job.request.pattern = row[3].c_str();
    job.request.version = row[4].as<std::int32_t>();
    job.request.is_inline = row[5].as<bool>();
    job.request.document_json = row[6].c_str();
    job.request.from = timestamp_from(row[7]);
    job.request.to = timestamp_from(row[8]);
    return job;
}

}  // namespace

/// One transaction. A session that failed in the middle is not worth mending.
template <class Work>
auto JobQueue::attempt(Work&& work) {
    auto result = guarded([&] {
        if (!connection_) {
            connection_ = std::make_unique<pqxx::connection>(dsn_);
            pqxx::nontransaction{*connection_}.exec(settings_sql);
        }
        pqxx::work transaction{*connection_};
        auto value = work(transaction);
        transaction.commit();
        return value;
    });
    if (!result) connection_.reset();
    return result;
}

template <class... Parameters>
StoreResult<bool> JobQueue::change(const char* sql, const ClaimedJob& job, Parameters&&... parameters) {
    return attempt([&](pqxx::work& transaction) {
        return transaction.exec_params(sql, job.tenant.value(), job.id, job.claim, std::forward<Parameters>(parameters)...).affected_rows() == 1;
    });
}

StoreResult<std::optional<ClaimedJob>> JobQueue::claim(std::chrono::milliseconds silence) {
    return attempt([&](pqxx::work& transaction) -> std::optional<ClaimedJob> {
        const auto rows = transaction.exec_params(claim_sql, silence.count());
        if (rows.empty()) return std::nullopt;
        return claimed_from(rows[0]);
    });
}

StoreResult<bool> JobQueue::beat(const ClaimedJob& job, std::int64_t read, std::optional<std::int64_t> total) {
    return attempt([&](pqxx::work& transaction) {
        transaction.exec("SET LOCAL synchronous_commit = off");  // a beat may get lost
        return transaction.exec_params(beat_sql, job.tenant.value(), job.id, job.claim, read, total).affected_rows() == 1;
    });
}

StoreResult<bool> JobQueue::done(const ClaimedJob& job, std::int64_t read, const std::string& result_json) { return change(done_sql, job, read, result_json); }

StoreResult<bool> JobQueue::failed(const ClaimedJob& job, const std::string& error) { return change(failed_sql, job, error); }

StoreResult<bool> JobQueue::release(const ClaimedJob& job) { return change(release_sql, job); }

StoreResult<bool> JobQueue::forget(std::chrono::hours age) {
    return attempt([&](pqxx::work& transaction) { return transaction.exec_params(forget_sql, age.count()).affected_rows() > 0; });
}

}  // namespace catenary::server::pg
