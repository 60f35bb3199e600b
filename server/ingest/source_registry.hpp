#pragma once

#include "api/ports/ports.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace catenary::server {

/// Which sources a tenant hears from: per (source, domain) how many signals were accepted since this server started, and the last of them.
/// Bounded: `capacity` pairs a tenant; further ones are not listed but counted in `unlisted`. Any thread.
class SourceRegistry {
public:
    static constexpr std::size_t capacity = 1'000;

    /// A run of signals of one (source, domain): `newest` is the newest event time among them. `accepted` is 0 for signals read back from the store.
    void note(engine::TenantId tenant, std::string_view source, std::string_view domain, std::int64_t accepted, engine::Timestamp newest,
              engine::Timestamp received);

    /// By (source, domain).
    std::vector<api::ports::SourceStatus> of(engine::TenantId tenant) const;
    /// Of every tenant.
    std::map<engine::TenantId, std::vector<api::ports::SourceStatus>> all() const;
    /// Signals of a tenant whose (source, domain) came after the list was full.
    std::int64_t unlisted(engine::TenantId tenant) const;
    /// Of all tenants.
    std::int64_t unlisted() const;

private:
    struct Tenant {
        std::map<std::pair<std::string, std::string>, api::ports::SourceStatus, std::less<>> sources;
        std::int64_t unlisted = 0;
    };
    mutable std::mutex mutex_;
    std::map<engine::TenantId, Tenant> tenants_;
};

}  // namespace catenary::server
