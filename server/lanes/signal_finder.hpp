#pragma once

#include "engine/lane/control.hpp"
#include "engine/lane/effects.hpp"
#include "engine/lane/lane.hpp"
#include "server/ingest/leaves.hpp"
#include "server/ingest/pq_connection.hpp"
#include "server/ingest/signal_key.hpp"
#include "server/lanes/stored_names.hpp"

#include <map>
#include <span>
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
    /// `most_bytes`: of names kept.
    SignalFinder(PqConnection& connection, std::size_t most_bytes);

    /// Each that is stored, by reference. std::runtime_error when one is missing.
    std::map<engine::SignalRef, FoundSignal> find(engine::TenantId tenant, const std::vector<engine::SignalRef>& wanted);

    /// The signals that `request` asks for with positions below `below`, as far as a stage of `pattern` wants them, in (time, source, id) order. A history
    /// may be long: it is sifted while it is read.
    std::vector<engine::StoredSignal> history(const engine::HistoryRequest& request, engine::Position below, const engine::Pattern& pattern);

private:
    void mark_late(engine::TenantId tenant, std::vector<engine::StoredSignal>& signals, const std::vector<SignalKey>& keys);

    PqConnection& connection_;
    LeafCalendar calendar_;
    std::vector<Day> leaves_;  ///< sorted, as of the last `history`
    Digester digester_;
    StoredNames names_;
};

/// layout.hash_key. Throws PqError.
DigestKey load_digest_key(PqConnection& connection);

}  // namespace catenary::server
