#pragma once

#include "engine/incidents/stored_incidents.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "server/lanes/origin.hpp"
#include "server/lanes/result_rows.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace catenary::server {

/// Our right to write a lane's results, and how far they are written.
struct LaneLease {
    std::int64_t epoch = 0;
    engine::Position done;
};
using LaneLeases = std::map<std::int16_t, LaneLease>;

/// How far a lane moves in a transaction.
struct LaneMove {
    std::int16_t lane = 0;
    std::int64_t epoch = 0;
    engine::Position from;  ///< as committed before
    engine::Position to;
};

enum class WriteFate {
    committed,
    failed,  ///< not written, or not known to be: `find_out` tells, then write again
    fenced,  ///< somebody else leads: nothing was written, and never will be
};

/// Writes results with their lane's position, fenced by its epoch. One thread. No method throws for what the database does.
class ResultStore {
public:
    virtual ~ResultStore() = default;

    /// Takes over every lane: from its COMMIT on no former leader can write. `failed`: try again later. With `by`, results are of that program from here on; its
    /// `since` is noted as it is, or as the end of the log when it is empty.
    struct TakeOver {
        std::string owner;
        struct By {
            std::string engine;
            std::string catalogue;
            std::optional<engine::Position> since;
        };
        std::optional<By> by;
    };
    virtual WriteFate take_over(const TakeOver& wanted, LaneLeases& leases) = 0;
    /// Empty when it cannot be asked now.
    virtual std::optional<Origin> origin() = 0;
    /// What is stored of the incidents of a lane's tenants: those whose findings start at `earliest` or later (none where that does not name the tenant), whole, and
    /// the newest `StoredIncidents::most_ended` of them all, with those that redirect to them. Every tenant that has incidents or is named. Empty when it cannot be
    /// asked now.
    virtual std::optional<std::map<engine::TenantId, engine::StoredIncidents>> reported(std::int16_t lane,
                                                                                        const std::map<engine::TenantId, engine::Timestamp>& earliest) = 0;
    /// Everything in one transaction (guarantee G6): all moves and all rows, or nothing. Without visible rows the COMMIT does not wait for the disk: what
    /// a crash loses is computed again.
    virtual WriteFate write(const std::vector<LaneMove>& moves, const std::vector<ResultRows>& rows) = 0;
    /// After `failed`: `committed` when the moves were made after all, `failed` when they were not, `fenced`; empty when it cannot be asked now.
    virtual std::optional<WriteFate> find_out(const std::vector<LaneMove>& moves) = 0;
    /// Appends a clock tick for each tenant, a transaction each.
    virtual WriteFate append_ticks(const std::vector<engine::TenantId>& tenants) = 0;

    /// Why the last call failed, for the log.
    virtual const std::string& reason() const = 0;
};

}  // namespace catenary::server
