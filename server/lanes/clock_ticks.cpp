#include "server/lanes/clock_ticks.hpp"

namespace catenary::server {

std::vector<engine::TenantId> ClockTicks::due(engine::Timestamp now) const {
    std::vector<engine::TenantId> list;
    for (const auto& [id, tenant] : tenants_) {
        const auto& status = tenant.status;
        const bool live = status.newest && *status.newest >= now - std::chrono::hours{1};
        const bool moves = !status.held && (!status.watermark || *status.watermark < now - status.lateness);
        const bool too_soon = tenant.last && *tenant.last > now - std::chrono::minutes{1};
        if (live && moves && !too_soon) list.push_back(id);
    }
    return list;
}

}  // namespace catenary::server
