#pragma once

#include "engine/model/ids.hpp"

#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace catenary::server::observe {

/// Counts what happened to each tenant since the start; as many entries as tenants. Any thread.
class TenantCounter {
public:
    void add(engine::TenantId tenant, std::int64_t times = 1) {
        const std::lock_guard lock{mutex_};
        of_[tenant.value()] += times;
        total_ += times;
    }
    std::int64_t of(engine::TenantId tenant) const {
        const std::lock_guard lock{mutex_};
        const auto found = of_.find(tenant.value());
        return found == of_.end() ? 0 : found->second;
    }
    std::int64_t total() const {
        const std::lock_guard lock{mutex_};
        return total_;
    }

private:
    mutable std::mutex mutex_;
    std::unordered_map<std::int32_t, std::int64_t> of_;
    std::int64_t total_ = 0;
};

}  // namespace catenary::server::observe
