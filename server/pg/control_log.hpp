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
    // For a caller that repeats() nothing is written; the answer is what its first entry led to.
    api::ports::Outcome<engine::IncidentRecord> merge(const api::Caller& caller, const engine::IncidentMerge& merge) override;
    api::ports::Outcome<engine::IncidentRecord> split(const api::Caller& caller, const engine::IncidentSplit& split) override;
    api::ports::Outcome<engine::IncidentActivity> comment(const api::Caller& caller, const engine::IncidentComment& comment) override;

private:
    struct IncidentEntry {
        engine::IncidentNumber number;  ///< must exist
        std::string kind;
        std::string body;
        std::optional<std::int64_t> revision;
    };
    struct Appended {
        engine::Position position;
        std::int16_t lane;
    };
    StoreResult<engine::Position> applied(const api::Caller& caller, const IncidentEntry& entry);
    StoreResult<Appended> append(const api::Caller& caller, const IncidentEntry& entry);
    StoreResult<Appended> appended_before(const api::Caller& caller);
    StoreResult<engine::Position> applied_unless(const api::Caller& caller, const IncidentEntry& entry, const char* refused);
    StoreResult<bool> wait_for_lane(std::int16_t lane, engine::Position position);
    Pool& pool_;
    LaneProgress& progress_;
    std::function<void()> appended_;
    std::chrono::milliseconds patience_;
};

}  // namespace catenary::server::pg
