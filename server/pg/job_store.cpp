#include "server/pg/job_store.hpp"

#include "server/pg/place.hpp"
#include "server/pg/sql_text.hpp"
#include "server/pg/tenant_transaction.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>
#include <string_view>

namespace catenary::server::pg {
namespace {

using api::ports::BacktestRequest;
using api::ports::Job;
using api::ports::JobState;
using api::ports::Page;

constexpr std::string_view columns = "id, state, pattern, version, inline, from_time, to_time, created, created_by, started, ended, read, total, error";
constexpr const char* lock_sql = "SELECT pg_advisory_xact_lock(7094665, $1)";
constexpr const char* unfinished_sql = "SELECT count(*) FROM job WHERE ended IS NULL";
constexpr const char* forget_sql =
    "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE ended IS NOT NULL ORDER BY created DESC, id DESC OFFSET $1) AND ended IS NOT NULL";
constexpr std::string_view add_sql = R"(
    INSERT INTO job (tenant, pattern, version, inline, document, from_time, to_time, created_by)
    VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7) RETURNING {}, coalesce(result, ''))";
constexpr std::string_view find_sql = "SELECT {}, coalesce(result, '') FROM job WHERE id = $1::uuid";
constexpr std::string_view page_sql = R"(
    SELECT {}, '' FROM job WHERE $1::timestamptz IS NULL OR (created, id) < ($1, $2::uuid) ORDER BY created DESC, id DESC LIMIT $3)";
constexpr const char* cancel_sql = "UPDATE job SET state = 'cancelled', ended = clock_timestamp() WHERE id = $1::uuid AND ended IS NULL";

JobState state_from(std::string_view word) {
    for (const auto state : {JobState::queued, JobState::running, JobState::done, JobState::failed, JobState::cancelled}) {
        if (to_string(state) == word) return state;
    }
    throw std::invalid_argument("unknown state of a job in a row: " + std::string{word});
}

Job job_from(const pqxx::row& row) {
    Job job;
    job.id = row[0].c_str();
    job.state = state_from(row[1].c_str());
    job.request.pattern = row[2].c_str();
    job.request.version = row[3].as<std::int32_t>();
    job.request.is_inline = row[4].as<bool>();
    job.request.from = timestamp_from(row[5]);
    job.request.to = timestamp_from(row[6]);
    job.created = timestamp_from(row[7]);
    job.created_by = row[8].c_str();
    job.started = optional_timestamp(row[9]);
    job.ended = optional_timestamp(row[10]);
    job.read = row[11].as<std::int64_t>();
    if (!row[12].is_null()) job.total = row[12].as<std::int64_t>();
    job.error = row[13].c_str();
    job.result_json = row[14].c_str();
    return job;
}

StoreResult<Job> find_job(TenantTransaction& transaction, const std::string& id) {
    const auto rows = transaction.exec_params(fmt::format(find_sql, columns), id);
    if (rows.empty()) return StoreError{StoreErrorCode::not_found, "there is no job of this id; jobs that have ended are kept for seven days"};
    return job_from(rows[0]);
}

StoreResult<Page<Job>> read_page(TenantTransaction& transaction, const api::ports::PageRequest& request) {
    std::optional<std::string> created, id;
    if (!request.after.empty()) {
        const auto place = place_from(request.after, 2);
        if (!place) return foreign_cursor();
        created = (*place)[0];
        id = (*place)[1];
    }
    Page<Job> page;
    for (const auto& row : transaction.exec_params(fmt::format(page_sql, columns), created, id, static_cast<std::int64_t>(request.limit + 1))) {
        if (page.items.size() == request.limit) {
            page.next = place_text({timestamp_text(page.items.back().created), page.items.back().id});
            break;
        }
        page.items.push_back(job_from(row));
    }
    return page;
}

}  // namespace

api::ports::Outcome<Job> JobStore::add(const api::Caller& caller, const BacktestRequest& wanted) {
    auto added = tenant_transaction(pool_, caller, Access::write, [&](TenantTransaction& transaction) -> StoreResult<Job> {
        transaction.exec_params(lock_sql, caller.tenant.value());
        if (transaction.exec1(unfinished_sql)[0].as<int>() >= most_unfinished) {
            return StoreError{StoreErrorCode::not_now,
                              fmt::format("{} backtests wait or run already, as many as a tenant may have; wait for one or cancel one", most_unfinished)};
        }
        transaction.exec_params0(forget_sql, most_ended);
        return job_from(transaction.exec_params1(fmt::format(add_sql, columns), wanted.pattern, wanted.version, wanted.is_inline, wanted.document_json,
                                                 timestamp_text(wanted.from), timestamp_text(wanted.to), caller.key_id));
    });
    if (!added && added.error().code == StoreErrorCode::not_now) {
        const std::lock_guard lock{mutex_};
        ++refused_[caller.tenant];
    }
    return to_outcome(std::move(added), "add_job");
}

api::ports::Outcome<Job> JobStore::find(const api::Caller& caller, const std::string& id) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read, [&](TenantTransaction& transaction) { return find_job(transaction, id); }),
                      "find_job");
}

api::ports::Outcome<Page<Job>> JobStore::page(const api::Caller& caller, const api::ports::PageRequest& request) {
    return to_outcome(tenant_transaction(pool_, caller.tenant, Access::read, [&](TenantTransaction& transaction) { return read_page(transaction, request); }),
                      "list_jobs");
}

api::ports::Outcome<Job> JobStore::cancel(const api::Caller& caller, const std::string& id) {
    return to_outcome(tenant_transaction(pool_, caller, Access::write,
                                         [&](TenantTransaction& transaction) -> StoreResult<Job> {
                                             transaction.exec_params0(cancel_sql, id);
                                             auto job = find_job(transaction, id);
                                             if (!job || (*job).state == JobState::cancelled) return job;
                                             return StoreError{StoreErrorCode::not_now, fmt::format("the job has ended: it is {}", to_string((*job).state))};
                                         }),
                      "cancel_job");
}

std::int64_t JobStore::refused(engine::TenantId tenant) const {
    const std::lock_guard lock{mutex_};
    const auto it = refused_.find(tenant);
    return it == refused_.end() ? 0 : it->second;
}

}  // namespace catenary::server::pg
