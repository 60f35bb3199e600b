#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"

namespace catenary::server::pg {

/// The tenants' own pattern documents, every version kept.
class PatternVersionStore final : public api::ports::PatternStore {
public:
    static constexpr int most_documents = 512;  ///< of one tenant

    explicit PatternVersionStore(Pool& pool) : pool_{pool} {}
    api::ports::Outcome<std::vector<api::ports::PatternVersion>> list(const api::Caller& caller) override;
    api::ports::Outcome<api::ports::PatternVersion> find(const api::Caller& caller, const std::string& id) override;
    /// One transaction: the row and the control entry that puts it in force, or neither. Of two at once one answers conflict.
    api::ports::Outcome<api::ports::PatternVersion> add(const api::Caller& caller, const api::ports::PatternVersion& version,
                                                        std::optional<engine::Timestamp> effective_from) override;

private:
    Pool& pool_;
};

}  // namespace catenary::server::pg
