#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"

namespace catenary::server::pg {

/// Incidents as the lane committed them. Each call is one read-only transaction of the caller's tenant.
class IncidentStore final : public api::ports::IncidentReader {
public:
    explicit IncidentStore(Pool& pool) : pool_{pool} {}
    api::ports::Outcome<api::ports::Page<engine::IncidentRecord>> page(const api::Caller& caller, const api::ports::IncidentFilter& filter,
                                                                       const api::ports::PageRequest& request) override;
    api::ports::Outcome<engine::IncidentRecord> find(const api::Caller& caller, engine::IncidentNumber number) override;
    api::ports::Outcome<api::ports::IncidentDetail> detail(const api::Caller& caller, engine::IncidentNumber number, std::size_t most_comments) override;
    api::ports::Outcome<engine::IncidentRecord> story(const api::Caller& caller, engine::IncidentNumber number) override;
    api::ports::Outcome<api::ports::IncidentEvidence> evidence(const api::Caller& caller, engine::IncidentNumber number,
                                                               const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::Page<engine::IncidentActivity>> activity(const api::Caller& caller, engine::IncidentNumber number,
                                                                             const std::vector<std::string>& kinds,
                                                                             const api::ports::PageRequest& request) override;
    api::ports::Outcome<std::vector<engine::IncidentRecord>> alike(const api::Caller& caller, const engine::IncidentRecord& incident,
                                                                   std::size_t most) override;
    api::ports::Outcome<std::vector<engine::FindingRecord>> findings(const api::Caller& caller, engine::IncidentNumber number) override;

private:
    Pool& pool_;
};

}  // namespace catenary::server::pg
