#pragma once

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <map>
#include <mutex>
#include <optional>

namespace catenary::server {

/// The watermark of each tenant as the lane worker last left it; ingest judges lateness by it. Any thread.
class Watermarks {
public:
    void publish(engine::TenantId tenant, engine::Timestamp watermark) {
        const std::lock_guard lock{mutex_};
        watermarks_[tenant] = watermark;
    }
    /// Empty before the tenant's first signal has been applied.
    std::optional<engine::Timestamp> of(engine::TenantId tenant) const {
        const std::lock_guard lock{mutex_};
        const auto it = watermarks_.find(tenant);
        return it == watermarks_.end() ? std::nullopt : std::optional{it->second};
    }

private:
    mutable std::mutex mutex_;
    std::map<engine::TenantId, engine::Timestamp> watermarks_;
};

}  // namespace catenary::server
