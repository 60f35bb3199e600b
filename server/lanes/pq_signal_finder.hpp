#pragma once

#include "server/ingest/leaves.hpp"
#include "server/lanes/pq_name_source.hpp"
#include "server/lanes/signal_finder.hpp"

#include <cstddef>

namespace catenary::server {

/// In PostgreSQL. A history may be long: it is sifted while it is read.
class PqSignalFinder final : public SignalFinder {
public:
    /// `most_bytes`: of names kept.
    PqSignalFinder(PqConnection& connection, std::size_t most_bytes);

    std::map<engine::SignalRef, FoundSignal> find(engine::TenantId tenant, const std::vector<engine::SignalRef>& wanted) override;
    SignalKey key_of(engine::TenantId tenant, const engine::SignalRef& signal) override {
        return signal_key(digester_, tenant, signal.source, signal.id, signal.time);
    }
    std::vector<engine::StoredSignal> history(const engine::HistoryRequest& request, engine::Position below, const engine::Pattern& pattern) override;
    engine::RematchAnswer answer(const engine::RematchRequest& request) override;

private:
    std::string named_by(const engine::RematchRequest& request);
    void mark_late(engine::TenantId tenant, std::vector<engine::StoredSignal>& signals, const std::vector<SignalKey>& keys);

    PqConnection& connection_;
    LeafCalendar calendar_;
    Digester digester_;
    PqNameSource name_source_;
    StoredNames names_;
};

}  // namespace catenary::server
