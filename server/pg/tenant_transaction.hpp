#pragma once

#include "api/ports/caller.hpp"
#include "engine/model/ids.hpp"
#include "server/pg/guarded.hpp"
#include "server/pg/keyed_effect.hpp"
#include "server/pg/pool.hpp"

#include <pqxx/pqxx>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace catenary::server::pg {

/// `look_up`: reads by keys alone, of which one plan is as good as any other. PostgreSQL would plan them anew each time, as it takes its estimate for unknown
/// values to be worse than a plan for these costs, and planning takes several times as long as they run. Not for filters that may be absent.
enum class Access { read, look_up, write };

/// For which tenant a transaction runs (none: only the functions that need no tenant will answer), and whom the audit names for what it changes:
/// the caller's key, or the server itself.
struct Acting {
    // NOLINTBEGIN(google-explicit-constructor): a tenant, nobody or a caller each say it
    Acting(std::nullopt_t) {}
    Acting(engine::TenantId of) : tenant{of} {}
    Acting(std::optional<engine::TenantId> of) : tenant{of} {}
    Acting(const api::Caller& caller) : tenant{caller.tenant}, actor{caller.key_id}, effect{KeyedEffect::of(caller)} {}
    // NOLINTEND(google-explicit-constructor)
    std::optional<engine::TenantId> tenant;
    std::string actor;
    KeyedEffect* effect = nullptr;  ///< of a request with an Idempotency-Key: what it writes joins this
};

/// A query whose text never varies, under a name of its own among all of them.
struct Statement {
    std::string name;
    std::string sql;
};

/// A transaction in which the tenant and the actor are named before anything else can run; begun in one round trip. Rolled back unless committed.
class TenantTransaction final : public pqxx::dbtransaction {
public:
    /// Throws as libpqxx does; `pqxx::broken_connection` when the connection had died.
    TenantTransaction(pqxx::connection_base& connection, const Acting& acting, Access access);
    ~TenantTransaction() override;

    /// The rows of a statement that the connection prepares at its first use: parsed and planned once, not with each request.
    template <class... Parameters>
    pqxx::result rows(const Statement& statement, Parameters&&... parameters) {
        conn().prepare(statement.name, statement.sql);  // only noted, and only once
        return exec_prepared(statement.name, std::forward<Parameters>(parameters)...);
    }

    /// A statement with its values, for `results`; prepares it.
    template <class... Parameters>
    std::string call(const Statement& statement, const Parameters&... parameters) {
        conn().prepare(statement.name, statement.sql);
        conn().prepare_now(statement.name);
        return execute_sql(statement.name, {conn().quote(parameters)...});
    }
    /// What several calls give, in their order, in one round trip: on a busy machine each one waits for its turn twice.
    std::vector<pqxx::result> results(const std::vector<std::string>& calls);

private:
    static std::string execute_sql(const std::string& name, const std::vector<std::string>& literals);
    void do_begin() override;
    void do_commit() override;
    std::string begin_sql_;
};

/// One transaction for one tenant, on one lease: begins, names the tenant, runs `work(TenantTransaction&)`, commits if that returned a value and rolls back
/// if it returned an error. A connection that had died while idle is replaced once, before `work` has run; `work` itself runs once.
/// What a request with an Idempotency-Key writes is committed later, together with its reply: see KeyedEffect.
/// A COMMIT that gets no answer is `outcome_unknown` for Access::write and `unavailable` for the others.
template <class F>
auto tenant_transaction(Pool& pool, const Acting& acting, Access access, F&& work) ->
    typename detail::StoreResultOf<std::invoke_result_t<F, TenantTransaction&>>::type {
    using Returned = typename detail::StoreResultOf<std::invoke_result_t<F, TenantTransaction&>>::type;
    if (acting.effect != nullptr && access == Access::write) return acting.effect->join(std::forward<F>(work));
    for (bool first = true;; first = false) {
        auto lease = first ? pool.lease() : pool.fresh_lease();
        if (!lease) return lease.error();
        bool begun = false;
        bool committing = false;
        auto result = guarded([&]() -> Returned {
            TenantTransaction transaction{lease->connection(), acting, access};
            begun = true;
            auto value = [&]() -> Returned {
                if constexpr (std::is_void_v<std::invoke_result_t<F, TenantTransaction&>>) {
                    work(transaction);
                    return {};
                } else {
                    return work(transaction);
                }
            }();
            if (!value) return value;
            committing = true;
            transaction.commit();
            return value;
        });
        if (result) return result;
        switch (result.error().code) {
            case StoreErrorCode::unavailable:
                lease->spoil();
                if (first && !begun) continue;
                if (committing && access == Access::write) return StoreError{StoreErrorCode::outcome_unknown, result.error().detail};
                return result;
            case StoreErrorCode::outcome_unknown:
                lease->spoil();
                if (access != Access::write) return StoreError{StoreErrorCode::unavailable, result.error().detail};
                return result;
            default: return result;
        }
    }
}

}  // namespace catenary::server::pg
