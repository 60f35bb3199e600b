#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"

#include <functional>
#include <utility>

namespace catenary::server::pg {

/// A tenant's settings beside the control entries that carry them to the engine.
class SettingStore final : public api::ports::SettingStore {
public:
    /// `appended`: told after each commit of an entry, as for PgControlLog; may be empty.
    explicit SettingStore(Pool& pool, std::function<void()> appended = {}) : pool_{pool}, appended_{std::move(appended)} {}
    api::ports::Outcome<api::ports::StoredSettings> read(const api::Caller& caller) override;
    /// Row and entry in one transaction; the revision is compared under the lock of the log, so that of two changes of one revision one is stale.
    api::ports::Outcome<api::ports::StoredSettings> change(const api::Caller& caller, const api::ports::TenantSettings& wanted, std::int64_t revision) override;

private:
    Pool& pool_;
    std::function<void()> appended_;
};

}  // namespace catenary::server::pg
