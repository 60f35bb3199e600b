#pragma once

#include "engine/incidents/records.hpp"
#include "engine/model/signal.hpp"

#include <cstdint>
#include <vector>

namespace catenary::engine {

/// A finding as it was reported last, as far as it matters for going on.
struct StoredFinding {
    FindingId id;
    IncidentNumber incident;
    Timestamp start;
    Timestamp end;
    std::int64_t evidence_total = 0;
    // Of findings of closed incidents only, sorted; of incidents that ended before the findings in memory they may be left out.
    std::vector<SignalRef> evidence;
    std::vector<EntityKey> principals;
};

/// What was reported of a tenant before its engine began anew: by another version of the program, over other shipped patterns, or from a log that is
/// no longer whole.
struct StoredIncidents {
    /// So many that ended before the findings in memory are of use: their findings may be found again where signals come late.
    static constexpr std::size_t most_ended = 20'000;

    std::int64_t last_number = 0;           ///< the greatest number given so far; 0: none
    std::vector<IncidentRecord> incidents;  ///< by number; those of `findings`, and those that redirect to them
    std::vector<StoredFinding> findings;    ///< all of those incidents that are in production and not superseded
};

}  // namespace catenary::engine
