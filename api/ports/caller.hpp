#pragma once

#include "engine/model/ids.hpp"

#include <cstdint>
#include <optional>
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

/// A request's Idempotency-Key, as handlers and stores see it. What a store writes for such a request is committed together with its reply, so that it
/// happens once however often the request comes.
class EffectKey {
public:
    virtual ~EffectKey() = default;
    /// The control entry that this same request wrote before its reply was lost. Then nothing is checked against the present and nothing is written: the
    /// reply is made from what the entry led to. Empty when the request has had no effect yet.
    virtual std::optional<engine::Position> written() const = 0;
};

/// Who asks: known from the credential only, but for the idempotency key.
struct Caller {
    engine::TenantId tenant;
    std::string tenant_name;
    std::string key_id;
    std::uint16_t scopes = 0;         ///< bits of Scope
    bool operator_tenant = false;     ///< the first tenant: may manage tenants
    std::set<std::string> sources;    ///< sources it may post for; empty = any
    EffectKey* effect_key = nullptr;  ///< of the request; null when it has none
    /// The request took effect before and only its reply is wanted.
    bool repeats() const { return effect_key != nullptr && effect_key->written().has_value(); }
    bool may(Scope scope) const { return (scopes & static_cast<std::uint16_t>(scope)) == static_cast<std::uint16_t>(scope); }
};

}  // namespace catenary::api
