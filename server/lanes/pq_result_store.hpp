#pragma once

#include "server/lanes/outbox_writer.hpp"
#include "server/lanes/result_store.hpp"

#include <pqxx/connection>

#include <memory>

namespace catenary::server {

/// In PostgreSQL, on a session of its own that is made when first needed, and anew after it failed.
class PqResultStore final : public ResultStore {
public:
    explicit PqResultStore(std::string dsn);
    ~PqResultStore() override;

    WriteFate take_over(const TakeOver& wanted, LaneLeases& leases) override;
    std::optional<Origin> origin() override;
    std::optional<std::map<engine::TenantId, engine::StoredIncidents>> reported(std::int16_t lane,
                                                                                const std::map<engine::TenantId, engine::Timestamp>& earliest) override;
    WriteFate write(const std::vector<LaneMove>& moves, const std::vector<ResultRows>& rows) override;
    std::optional<WriteFate> find_out(const std::vector<LaneMove>& moves) override;
    WriteFate append_ticks(const std::vector<engine::TenantId>& tenants) override;
    const std::string& reason() const override { return reason_; }

private:
    template <class Work>
    std::optional<WriteFate> attempt(Work&& work);
    pqxx::connection& connection();

    std::string dsn_;
    std::unique_ptr<pqxx::connection> connection_;
    OutboxWriter outbox_;
    std::string reason_;
};

}  // namespace catenary::server
