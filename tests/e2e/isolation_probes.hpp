#pragma once

#include "api/http/request.hpp"
#include "tests/e2e/tenant_world.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace catenary::tests {

/// A request that names something of one tenant, sent with the key of another (the stranger) and later with the owner's, where it has to work: a 404 for
/// both would show nothing.
struct Probe {
    enum class Stranger {
        refused,  ///< by `stranger`, the status: 404, or what else says that there is no such thing
        empty,    ///< a list without items, which has some for the owner
        own,      ///< answered of the stranger's own: what it names is the stranger's, under the same name, or names no tenant's record
    };
    api::http::Method method;
    std::string path;
    nlohmann::json body{};  ///< null: none
    Stranger expects = Stranger::refused;
    int stranger = 404;
    int owner = 200;
    std::string idempotency_key{};  ///< "" for none
    std::string remembered{};       ///< the owner's reply to this request before; "" where there is none
    bool is_hook = false;           ///< signed with the connector's secret instead of a key
};

/// For every route at least one. In the order in which they can be sent: what reads, what the stranger must not change, and at last what makes something of
/// the stranger's own under the owner's names. `foreign`: number of an incident that only the owner has; both have an incident 1.
std::vector<Probe> isolation_probes(const TenantWorld& owner, const TenantWorld& stranger, int foreign);

std::string method_name(api::http::Method method);

}  // namespace catenary::tests
