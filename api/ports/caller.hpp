#pragma once

#include "engine/model/ids.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace catenary::api {

/// What a key may do; a bit set.
enum class Scope : std::uint16_t {
    none = 0,  ///< a route that needs no key at all
    signals_write = 1,
    signals_read = 2,
    incidents_read = 4,
    incidents_write = 8,
    catalogue_write = 16,
    tickets_write = 32,
    admin = 64,
};
std::string_view to_string(Scope scope);  ///< "signals:write" …

/// Who asks: known from the credential only.
struct Caller {
    engine::TenantId tenant;
    std::string tenant_name;
    std::string key_id;
    std::uint16_t scopes = 0;       ///< bits of Scope
    bool operator_tenant = false;   ///< the first tenant: may manage tenants
    std::set<std::string> sources;  ///< sources it may post for; empty = any
    bool may(Scope scope) const { return (scopes & static_cast<std::uint16_t>(scope)) == static_cast<std::uint16_t>(scope); }
};

}  // namespace catenary::api
