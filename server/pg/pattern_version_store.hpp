#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"

#include <functional>
#include <utility>

namespace catenary::server::pg {

/// The tenants' own pattern documents, every version kept.
class PatternVersionStore final : public api::ports::PatternStore {
public:
    static constexpr int most_documents = 512;  ///< of one tenant

    /// `appended`: told after each commit of an entry, as for PgControlLog; may be empty.
    explicit PatternVersionStore(Pool& pool, std::function<void()> appended = {}) : pool_{pool}, appended_{std::move(appended)} {}
    api::ports::Outcome<std::vector<api::ports::PatternVersion>> list(const api::Caller& caller) override;
    api::ports::Outcome<api::ports::PatternVersion> find(const api::Caller& caller, const std::string& id) override;
    /// One transaction: the row and the control entry that puts it in force, or neither. Of two at once one answers conflict.
    api::ports::Outcome<api::ports::PatternVersion> add(const api::Caller& caller, const api::ports::PatternVersion& version,
                                                        std::optional<engine::Timestamp> effective_from) override;

private:
    Pool& pool_;
    std::function<void()> appended_;
};

}  // namespace catenary::server::pg
