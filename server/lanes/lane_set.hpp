#pragma once

#include "api/ingest/signal_views.hpp"
#include "engine/lane/lane.hpp"
#include "server/ingest/hand_off.hpp"
#include "server/lanes/stored_names.hpp"
#include "server/lanes/stored_row.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace catenary::server {

/// Answers what an engine wants to know before its next entry (engine::Lane::rematch_request).
class Rematcher {
public:
    virtual ~Rematcher() = default;
    /// Until it wants nothing more. Whatever it throws ends the use of the engine: it stands in the middle of an entry.
    virtual void rematch(engine::Lane& engine) = 0;
};

/// The engines of the lanes that have tenants, and how entries get into them. One thread.
class LaneSet {
public:
    /// `rematcher`: null where what comes behind the horizon is left to wait; outlives this.
    explicit LaneSet(engine::Catalogue shipped, Rematcher* rematcher = nullptr) : shipped_{std::move(shipped)}, rematcher_{rematcher} {}

    void apply(std::int16_t lane, std::span<const StoredRow> rows, const StoredNames& names);
    void apply(std::int16_t lane, const CommittedRequest& request, engine::Timestamp received);
    engine::Lane& of(std::int16_t lane);
    /// Null when nothing was ever applied to it.
    const engine::Lane* find(std::int16_t lane) const;
    const std::map<std::int16_t, engine::Lane>& all() const { return lanes_; }
    /// Instead of all that were applied to.
    void replace(std::map<std::int16_t, engine::Lane> lanes) { lanes_ = std::move(lanes); }

private:
    void read_attributes(const engine::Lane& lane, engine::TenantId tenant, std::string_view json);

    void finish_entry(engine::Lane& engine) {
        if (rematcher_ != nullptr && engine.wants_rematch()) rematcher_->rematch(engine);
    }

    engine::Catalogue shipped_;
    Rematcher* rematcher_;
    std::map<std::int16_t, engine::Lane> lanes_;
    api::ingest::SignalViews views_;
    // Scratch of the stored row being applied.
    std::vector<engine::EntityView> entities_;
    std::vector<engine::Attribute> attributes_;
};

}  // namespace catenary::server
