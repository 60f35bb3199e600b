#pragma once

#include "api/ports/ports.hpp"
#include "server/observe/tenant_counter.hpp"
#include "server/pg/pool.hpp"
#include "server/pg/store_error.hpp"

#include <pqxx/pqxx>

#include <cstdint>
#include <functional>
#include <utility>

namespace catenary::server::pg {

/// The tenants' own pattern documents, every version kept, and their deployments of those that ship. Changes of one tenant's patterns follow one
/// another: each takes a lock of its transaction first, then the place in the log.
class PatternVersionStore final : public api::ports::PatternStore {
public:
    static constexpr int usual_documents = 512;
    static constexpr int most_versions = 1'000;  ///< of one pattern

    /// `appended`: told after each commit of an entry, as for PgControlLog; may be empty. `most_documents`: of one tenant, retired ones not counted.
    explicit PatternVersionStore(Pool& pool, std::function<void()> appended = {}, int most_documents = usual_documents)
        : pool_{pool}, appended_{std::move(appended)}, most_documents_{most_documents} {}
    api::ports::Outcome<std::vector<api::ports::PatternVersion>> list(const api::Caller& caller) override;
    api::ports::Outcome<api::ports::PatternVersion> find(const api::Caller& caller, const std::string& id) override;
    api::ports::Outcome<api::ports::Page<api::ports::PatternVersion>> versions(const api::Caller& caller, const std::string& id,
                                                                               const api::ports::PageRequest& request) override;
    api::ports::Outcome<api::ports::PatternVersion> version(const api::Caller& caller, const std::string& id, std::int32_t version) override;
    /// One transaction: the rows and the control entry that puts them in force, or neither. Of two at once one answers conflict.
    api::ports::Outcome<api::ports::PatternVersion> add(const api::Caller& caller, const api::ports::PatternVersion& wanted,
                                                        std::optional<engine::Timestamp> effective_from) override;
    api::ports::Outcome<api::ports::PatternVersion> replace(const api::Caller& caller, const api::ports::PatternVersion& wanted,
                                                            const api::ports::PatternCondition& condition) override;
    api::ports::Outcome<api::ports::PatternVersion> deploy(const api::Caller& caller, const api::ports::PatternVersion& wanted,
                                                           const api::ports::PatternCondition& condition) override;
    api::ports::Outcome<api::ports::PatternVersion> end_trial(const api::Caller& caller, const std::string& id,
                                                              const api::ports::PatternCondition& condition) override;
    api::ports::Outcome<api::ports::PatternVersion> retire(const api::Caller& caller, const std::string& id,
                                                           const api::ports::PatternCondition& condition) override;

    /// Patterns refused since the start because the tenant has so many.
    std::int64_t refused(engine::TenantId tenant) const { return refused_.of(tenant); }

private:
    template <class Change>
    api::ports::Outcome<api::ports::PatternVersion> change(const api::Caller& caller, const char* what, Change change);

    Pool& pool_;
    std::function<void()> appended_;
    int most_documents_;
    observe::TenantCounter refused_;
};

}  // namespace catenary::server::pg
