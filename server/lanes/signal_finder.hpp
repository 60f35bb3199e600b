#pragma once

#include "engine/lane/control.hpp"
#include "engine/lane/effects.hpp"
#include "engine/lane/lane.hpp"
#include "server/ingest/signal_key.hpp"

#include <map>
#include <string>
#include <vector>

namespace catenary::server {

/// A stored signal with everything that its evidence rows repeat.
struct FoundSignal {
    SignalKey key;
    engine::Signal signal;  ///< attributes left empty
    std::string title;
    std::string attributes;  ///< as stored; "" when none
    std::string shown;       ///< as stored; "" when none
    engine::Timestamp received;
};

/// Looks stored signals up: by reference, for evidence; by time, for control entries that look into the past. One thread; throws PqError.
class SignalFinder {
public:
    virtual ~SignalFinder() = default;

    /// Each that is stored, by reference. std::runtime_error when one is missing.
    virtual std::map<engine::SignalRef, FoundSignal> find(engine::TenantId tenant, const std::vector<engine::SignalRef>& wanted) = 0;

    /// The key that a signal is stored under; asks nobody.
    virtual SignalKey key_of(engine::TenantId tenant, const engine::SignalRef& signal) = 0;

    /// The signals that `request` asks for with positions below `below`, at least those that a stage of `pattern` wants or that one of its
    /// conditions says must be absent, with the attributes that these read, in (time, source, id) order, late as
    /// the committed results say.
    virtual std::vector<engine::StoredSignal> history(const engine::HistoryRequest& request, engine::Position below, const engine::Pattern& pattern) = 0;

    /// What a re-match asks for, late as the committed results say.
    virtual engine::RematchAnswer answer(const engine::RematchRequest& request) = 0;
};

}  // namespace catenary::server
