#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"

namespace catenary::server::pg {

/// Findings as the lane committed them, newest start first. Each call is one read-only transaction of the caller's tenant.
class FindingStore final : public api::ports::FindingReader {
public:
    explicit FindingStore(Pool& pool) : pool_{pool} {}
    api::ports::Outcome<api::ports::Page<api::ports::FindingWithEvidence>> page(const api::Caller& caller, const api::ports::FindingFilter& filter,
                                                                                const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::FindingWithEvidence> find(const api::Caller& caller, const engine::FindingId& id) override;

private:
    Pool& pool_;
};

}  // namespace catenary::server::pg
