#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"

#include <cstdint>
#include <map>
#include <mutex>

namespace catenary::server::pg {

/// The jobs of a tenant, for requests. What runs them is server/backtest.
class JobStore final : public api::ports::JobStore {
public:
    static constexpr int most_unfinished = 8;  ///< of one tenant: waiting and running ones
    static constexpr int most_ended = 100;     ///< of one tenant; older ones go when another is queued

    explicit JobStore(Pool& pool) : pool_{pool} {}
    /// One transaction; those of one tenant follow one another, so that the bound holds.
    api::ports::Outcome<api::ports::Job> add(const api::Caller& caller, const api::ports::BacktestRequest& wanted) override;
    api::ports::Outcome<api::ports::Job> find(const api::Caller& caller, const std::string& id) override;
    api::ports::Outcome<api::ports::Page<api::ports::Job>> page(const api::Caller& caller, const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::Job> cancel(const api::Caller& caller, const std::string& id) override;

    /// How often a tenant was refused another job since this process started. Any thread.
    std::int64_t refused(engine::TenantId tenant) const;

private:
    Pool& pool_;
    mutable std::mutex mutex_;
    std::map<engine::TenantId, std::int64_t> refused_;
};

}  // namespace catenary::server::pg
