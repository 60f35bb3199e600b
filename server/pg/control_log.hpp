#pragma once

#include "api/ports/ports.hpp"
#include "server/pg/lane_progress.hpp"
#include "server/pg/pool.hpp"
#include "server/pg/store_error.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace catenary::server::pg {

/// Writes control entries, and waits for the lane where a caller must see the effect.
class PgControlLog final : public api::ports::ControlLog {
public:
    /// `appended`: told after each commit, so that the lane worker need not wait for its next look at the log; may be empty.
    /// `patience`: the longest wait for the lane.
    PgControlLog(Pool& pool, LaneProgress& progress, std::function<void()> appended = {}, std::chrono::milliseconds patience = std::chrono::seconds{10})
        : pool_{pool}, progress_{progress}, appended_{std::move(appended)}, patience_{patience} {}

    api::ports::Outcome<engine::Position> watermark(const api::Caller& caller, const engine::WatermarkCall& call) override;
    /// The revision is compared under the lock of the log, and an entry about the same incident that the lane has not applied yet counts as a change: of
    /// two edits made for one revision, one is stale.
    api::ports::Outcome<engine::IncidentRecord> edit(const api::Caller& caller, const engine::IncidentEdit& edit,
                                                     std::optional<std::int64_t> revision) override;
    // With an idempotency key a repeat within a day writes nothing and answers what the first one led to; another request under it is a conflict.
    api::ports::Outcome<engine::IncidentRecord> merge(const api::Caller& caller, const engine::IncidentMerge& merge,
                                                      const std::string& idempotency_key) override;
    api::ports::Outcome<engine::IncidentRecord> split(const api::Caller& caller, const engine::IncidentSplit& split,
                                                      const std::string& idempotency_key) override;
    api::ports::Outcome<engine::IncidentActivity> comment(const api::Caller& caller, const engine::IncidentComment& comment,
                                                          const std::string& idempotency_key) override;

private:
    struct IncidentEntry {
        engine::IncidentNumber number;  ///< must exist
        std::string kind;
        std::string body;
        std::optional<std::int64_t> revision;
        std::string idempotency_key;  ///< "" = none
    };
    struct Appended {
        engine::Position position;
        std::int16_t lane;
    };
    StoreResult<engine::Position> applied(const api::Caller& caller, const IncidentEntry& entry);
    StoreResult<engine::Position> applied_unless(const api::Caller& caller, const IncidentEntry& entry, const char* refused);
    StoreResult<bool> wait_for_lane(std::int16_t lane, engine::Position position);
    Pool& pool_;
    LaneProgress& progress_;
    std::function<void()> appended_;
    std::chrono::milliseconds patience_;
};

}  // namespace catenary::server::pg
