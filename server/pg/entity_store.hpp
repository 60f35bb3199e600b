#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

namespace catenary::server::pg {

/// Entities that signals have mentioned, and what administrators hold of them. The list walks the unique index (tenant, kind, value) kind after kind, so a page costs its rows and a look-up for each
/// kind it passes; with filters it walks one index for each tag and criticality asked for. After `patience` it ends early and the next page goes on.
class EntityStore final : public api::ports::EntityStore {
public:
    /// `appended`: told after each commit of an entry, as for PgControlLog; may be empty.
    explicit EntityStore(Pool& pool, std::chrono::milliseconds patience = std::chrono::seconds{1}, std::function<void()> appended = {})
        : pool_{pool}, patience_{patience}, appended_{std::move(appended)} {}
    api::ports::Outcome<api::ports::Page<api::ports::EntityRow>> page(const api::Caller& caller, const api::ports::EntityFilter& filter,
                                                                      const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::EntityRow> find(const api::Caller& caller, const engine::EntityKey& key) override;
    /// Notes, tags and entry in one transaction; the revision is compared under the lock of the log, so that of two changes of one revision one is stale.
    api::ports::Outcome<api::ports::EntityRow> change(const api::Caller& caller, const api::ports::EntityRow& wanted,
                                                      std::optional<std::int64_t> revision) override;

private:
    Pool& pool_;
    std::chrono::milliseconds patience_;
    std::function<void()> appended_;
};

}  // namespace catenary::server::pg
