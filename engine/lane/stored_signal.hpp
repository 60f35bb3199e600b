#pragma once

#include "engine/matching/pattern.hpp"
#include "engine/model/entity_key.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/signal.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace catenary::engine {

/// A stored signal read back for an entry that looks into the past.
struct StoredSignal {
    Position position;
    Timestamp admitted;
    Signal signal;
    bool late = false;  ///< as marked: behind the watermark at its position
};

/// Asks for a tenant's stored signals of an interval of event time (inclusive) with positions below that of the entry being applied.
struct HistoryRequest {
    TenantId tenant;
    Timestamp from;
    Timestamp to;
};

/// Asks for a tenant's stored signals with which signals behind the horizon are matched again.
struct RematchRequest {
    /// Signals that an answer has at most. Matching them takes some hundred milliseconds.
    static constexpr std::size_t most_signals = 20'000;

    TenantId tenant;
    std::shared_ptr<const Pattern> pattern;  ///< that wants them, in a stage or an absence condition
    std::vector<EntityKey> entities;         ///< that they name one of at least, sorted; empty: whomever they name
    Timestamp from;                          ///< of event time
    Timestamp to;                            ///< inclusive
    Position through;                        ///< of the last of them
};

/// What the store has of it: a function of the stored entries, however often it is asked.
struct RematchAnswer {
    std::vector<StoredSignal> signals;  ///< in (time, source, id) order; all of them, unless they are too many
    bool too_many = false;              ///< more than can be matched: `signals` says nothing
    bool is_whole = true;               ///< false: a part of the interval is no longer kept
};

}  // namespace catenary::engine
