#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"

#include <functional>
#include <string>

namespace catenary::server::pg {

/// Tenants and keys. Secrets are made here and leave once, in the reply; the database holds their SHA-256.
class TenantStore final : public api::ports::TenantDirectory {
public:
    explicit TenantStore(Pool& pool) : pool_{pool} {}
    api::ports::Outcome<api::ports::NewTenant> add(const api::Caller& caller, const std::string& name) override;
    api::ports::Outcome<api::ports::Page<api::ports::TenantRow>> page(const api::Caller& caller, const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::Page<api::ports::KeyRow>> keys(const api::Caller& caller, const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::NewKey> add_key(const api::Caller& caller, const api::ports::KeyRow& wanted) override;
    api::ports::Outcome<bool> remove_key(const api::Caller& caller, const std::string& id) override;
    api::ports::Outcome<api::ports::RotatedKey> rotate_key(const api::Caller& caller, const std::string& id, const api::ports::KeyRotation& rotation) override;
    api::ports::Outcome<api::ports::Page<api::ports::AuditRow>> audit(const api::Caller& caller, const api::ports::AuditFilter& filter,
                                                                      const api::ports::PageRequest& request) override;

    /// On a database without tenants: makes the operator's tenant with a key of every scope. `keep` is given the key before it is valid and says whether
    /// it is safely kept; only then the tenant is committed, so a crash never leaves a tenant whose key nobody has. False: there are tenants already.
    api::ports::Outcome<bool> make_first_tenant(const std::function<bool(const std::string& key)>& keep, const std::string& name = "operator");

private:
    Pool& pool_;
};

}  // namespace catenary::server::pg
