#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"

#include <functional>
#include <optional>
#include <utility>

namespace catenary::server::pg {

/// What the engines of this process know of a tenant; each callable from any thread. Empty: they cannot be asked now.
struct EngineView {
    std::function<std::optional<engine::PartialChains>(engine::TenantId, const engine::PartialWanted&)> partials;
    std::function<std::optional<engine::TenantHealth>(engine::TenantId)> health;
};

/// Chains that are part-way are asked of the engine, near misses are read as the lane committed them.
class ChainStore final : public api::ports::ChainReader {
public:
    ChainStore(Pool& pool, EngineView engine) : pool_{pool}, engine_{std::move(engine)} {}
    api::ports::Outcome<engine::PartialChains> partials(const api::Caller& caller, const engine::PartialWanted& wanted) override;
    api::ports::Outcome<api::ports::Page<api::ports::NearMissRow>> near_misses(const api::Caller& caller, const api::ports::NearMissFilter& filter,
                                                                               const api::ports::PageRequest& request) override;
    api::ports::Outcome<engine::TenantHealth> health(const api::Caller& caller) override;

private:
    Pool& pool_;
    EngineView engine_;
};

}  // namespace catenary::server::pg
