#pragma once

#include "engine/lane/effects.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <map>
#include <optional>
#include <vector>

namespace catenary::server {

/// Which tenants need a clock tick in the log: those that are live (newest event within an hour of the clock) and whose watermark time alone would
/// move. At most one a minute and tenant, restarts included. One thread.
class ClockTicks {
public:
    /// The tenant as the engine sees it now.
    void note(const engine::TenantStatus& status) { tenants_[status.tenant].status = status; }
    /// A tick of the log was applied.
    void note_tick(engine::TenantId tenant, engine::Timestamp admitted) { tenants_[tenant].last = admitted; }

    std::vector<engine::TenantId> due(engine::Timestamp now) const;

private:
    struct Tenant {
        engine::TenantStatus status;
        std::optional<engine::Timestamp> last;
    };
    std::map<engine::TenantId, Tenant> tenants_;
};

}  // namespace catenary::server
