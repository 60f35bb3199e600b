#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/pool.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace catenary::server::pg {

/// What only the running process knows; each must be callable from any thread. An empty function answers nothing.
struct ProcessView {
    std::function<std::vector<api::ports::SourceStatus>(engine::TenantId)> sources;
    std::function<std::vector<std::pair<std::string, std::int64_t>>(engine::TenantId)> caps;
    std::function<std::string(engine::TenantId)> leader;    ///< "leading" | "following" | "replaying 40 %"
    std::function<std::optional<std::string>()> not_ready;  ///< of ingest and lanes
};

/// The engine's status of a tenant beside what the process sees.
class DiagnosticsStore final : public api::ports::Diagnostics {
public:
    DiagnosticsStore(Pool& pool, ProcessView process) : pool_{pool}, process_{std::move(process)} {}
    api::ports::Outcome<api::ports::DiagnosticsReport> report(const api::Caller& caller) override;
    /// Asks the process first, then runs one statement on the database.
    std::optional<std::string> not_ready() override;

private:
    Pool& pool_;
    ProcessView process_;
};

}  // namespace catenary::server::pg
