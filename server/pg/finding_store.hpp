#pragma once

#include "api/ports/ports.hpp"
#include "server/observe/tenant_counter.hpp"
#include "server/pg/pool.hpp"

#include <cstdint>
#include <span>

namespace catenary::server::pg {

/// Findings as the lane committed them, newest start first. Each call is one read-only transaction of the caller's tenant.
class FindingStore final : public api::ports::FindingReader {
public:
    static constexpr int usual_evidence = 200;
    /// `most_evidence`: references that come with one finding, the first by time; its incident lists all of them.
    explicit FindingStore(Pool& pool, int most_evidence = usual_evidence) : pool_{pool}, most_evidence_{most_evidence} {}
    api::ports::Outcome<api::ports::Page<api::ports::FindingWithEvidence>> page(const api::Caller& caller, const api::ports::FindingFilter& filter,
                                                                                const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::FindingWithEvidence> find(const api::Caller& caller, const engine::FindingId& id) override;

    /// Findings since the start that came with less than their evidence.
    std::int64_t cut_short(engine::TenantId tenant) const { return cut_short_.of(tenant); }

private:
    void count_cut_short(engine::TenantId tenant, std::span<const api::ports::FindingWithEvidence> findings);

    Pool& pool_;
    int most_evidence_;
    observe::TenantCounter cut_short_;
};

}  // namespace catenary::server::pg
