#include "server/ingest/source_registry.hpp"

#include <algorithm>

namespace catenary::server {

void SourceRegistry::note(engine::TenantId tenant, std::string_view source, std::string_view domain, std::int64_t accepted, engine::Timestamp newest,
                          engine::Timestamp received) {
    const std::lock_guard lock{mutex_};
    auto& of_tenant = tenants_[tenant];
    std::pair<std::string, std::string> key{source, domain};
    auto it = of_tenant.sources.find(key);
    if (it == of_tenant.sources.end()) {
        if (of_tenant.sources.size() >= capacity) {
            of_tenant.unlisted += accepted;
            return;
        }
        api::ports::SourceStatus fresh;
        fresh.source = key.first;
        fresh.domain = key.second;
        it = of_tenant.sources.emplace(std::move(key), std::move(fresh)).first;
    }
    auto& status = it->second;
    status.signals += accepted;
    status.last_event = status.last_event ? std::max(*status.last_event, newest) : newest;
    status.last_received = status.last_received ? std::max(*status.last_received, received) : received;
}

std::vector<api::ports::SourceStatus> SourceRegistry::of(engine::TenantId tenant) const {
    const std::lock_guard lock{mutex_};
    std::vector<api::ports::SourceStatus> list;
    if (const auto it = tenants_.find(tenant); it != tenants_.end()) {
        for (const auto& [key, status] : it->second.sources) list.push_back(status);
    }
    return list;
}

std::map<engine::TenantId, std::vector<api::ports::SourceStatus>> SourceRegistry::all() const {
    const std::lock_guard lock{mutex_};
    std::map<engine::TenantId, std::vector<api::ports::SourceStatus>> lists;
    for (const auto& [id, tenant] : tenants_) {
        for (const auto& [key, status] : tenant.sources) lists[id].push_back(status);
    }
    return lists;
}

std::int64_t SourceRegistry::unlisted(engine::TenantId tenant) const {
    const std::lock_guard lock{mutex_};
    const auto it = tenants_.find(tenant);
    return it == tenants_.end() ? 0 : it->second.unlisted;
}

std::int64_t SourceRegistry::unlisted() const {
    const std::lock_guard lock{mutex_};
    std::int64_t all = 0;
    for (const auto& [id, tenant] : tenants_) all += tenant.unlisted;
    return all;
}

}  // namespace catenary::server
