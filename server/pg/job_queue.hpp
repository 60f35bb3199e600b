#pragma once

#include "api/ports/jobs.hpp"
#include "engine/model/ids.hpp"
#include "server/pg/store_error.hpp"

#include <pqxx/pqxx>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace catenary::server::pg {

/// A job that a server has taken. `claim` fences it: when the server stands still and another takes the job over, what the first one says of it counts no more.
struct ClaimedJob {
    engine::TenantId tenant;
    std::string id;
    std::int32_t claim = 0;  ///< from 1 on: how often a server has begun it
    api::ports::BacktestRequest request;
};

/// What waits to be run, for the servers that run it; all tenants. One connection, made when first needed and made anew after a failure. One thread.
class JobQueue {
public:
    /// `dsn` acts as catenary_lane.
    explicit JobQueue(std::string dsn) : dsn_{std::move(dsn)} {}

    /// Takes the oldest job that waits, or whose server has been silent for so long, of the tenant that was served least lately. Several servers at once get different ones.
    StoreResult<std::optional<ClaimedJob>> claim(std::chrono::milliseconds silence);
    /// Says that it goes on, and how far it is. False: it was cancelled, or is another server's by now.
    StoreResult<bool> beat(const ClaimedJob& job, std::int64_t read, std::optional<std::int64_t> total);
    /// Its end. False as for `beat`.
    StoreResult<bool> done(const ClaimedJob& job, std::int64_t read, const std::string& result_json);
    /// `error` is shown to clients.
    StoreResult<bool> failed(const ClaimedJob& job, const std::string& error);
    /// Gives it back to be begun anew, as if it had not been taken.
    StoreResult<bool> release(const ClaimedJob& job);
    /// Forgets what ended longer ago than that.
    StoreResult<bool> forget(std::chrono::hours age);

private:
    template <class Work>
    auto attempt(Work&& work);
    template <class... Parameters>
    StoreResult<bool> change(const char* sql, const ClaimedJob& job, Parameters&&... parameters);

    std::string dsn_;
    std::unique_ptr<pqxx::connection> connection_;
};

}  // namespace catenary::server::pg
