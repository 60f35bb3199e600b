#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"

#include <chrono>

namespace catenary::server::pg {

/// Entities that signals have mentioned. The list walks the unique index (tenant, kind, value) kind after kind, so a page costs its rows and a look-up for each
/// kind it passes; after `patience` it ends early and the next page goes on.
class EntityStore final : public api::ports::EntityReader {
public:
    explicit EntityStore(Pool& pool, std::chrono::milliseconds patience = std::chrono::seconds{1}) : pool_{pool}, patience_{patience} {}
    api::ports::Outcome<api::ports::Page<api::ports::EntityRow>> page(const api::Caller& caller, const api::ports::EntityFilter& filter,
                                                                      const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::EntityRow> find(const api::Caller& caller, const engine::EntityKey& key) override;

private:
    Pool& pool_;
    std::chrono::milliseconds patience_;
};

}  // namespace catenary::server::pg
