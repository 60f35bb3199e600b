#pragma once

#include "engine/incidents/records.hpp"
#include "engine/lane/near_misses.hpp"
#include "engine/lane/rematch_counts.hpp"

#include <string>
#include <vector>

namespace catenary::engine {

/// Evidence that a finding gained: the signal to copy, and the stage it serves.
struct EvidenceAddition {
    FindingId finding;
    SignalRef signal;
    std::string stage;
};

/// A finding's new state. `replace_evidence`: delete what is stored of its evidence before the additions.
struct FindingChange {
    FindingRecord record;
    bool replace_evidence = false;
};

/// An edit of an incident that the engine no longer holds, to be made on the stored row: its revision grows by one. Members left empty stay; an edit
/// without any is a comment's. Reopening clears the classification, as it does for incidents that are held.
struct StoredEdit {
    IncidentEdit edit;
    Position position;
    Timestamp at;
};

/// A tenant's counters as diagnostics shows them.
struct TenantStatus {
    TenantId tenant;
    std::optional<Timestamp> watermark;  ///< empty before the first signal
    bool held = false;
    std::optional<Timestamp> newest;  ///< newest event time seen
    std::int64_t signals = 0;         ///< seen since the window began
    std::int64_t late = 0;
    std::int64_t unlinkable = 0;
    std::int64_t behind_horizon = 0;                 ///< came when their time had been forgotten
    std::optional<Timestamp> oldest_behind_horizon;  ///< the earliest of them
    std::int64_t capped_groups = 0;                  ///< PatternMatcher::capped over its deployments
    std::int64_t window_signals = 0;
    std::int64_t window_limit = 0;         ///< most of them (SettingChange::window_signals)
    std::int64_t evicted_signals = 0;      ///< forgotten before their time, since that many were held, in all or by one pattern
    std::int64_t turned_away_signals = 0;  ///< found no room, for all or for one pattern, and wait to be matched again
    std::int64_t state_bytes = 0;
    Duration lateness{};
    std::optional<Timestamp> ticked;       ///< admission of the newest clock tick
    std::int64_t near_misses_dropped = 0;  ///< beyond what is told of one day
    std::int64_t aggregated_findings = 0;  ///< Incidents::aggregated
    std::int64_t incidents_cut_short = 0;  ///< Incidents::cut_short
    RematchCounts rematches;
    std::int64_t rematch_backlog = 0;                 ///< signals that wait to be matched again
    std::optional<Timestamp> oldest_rematch_waiting;  ///< event time of the earliest of them
};

/// What changed since the last call, of one tenant, coalesced: the last state of each record. To be written in one transaction with the position.
struct TenantEffects {
    TenantId tenant;
    std::vector<SignalRef> late;                     ///< signals to mark late
    std::vector<SignalRef> behind_horizon;           ///< those of them that wait to be matched again
    std::vector<SignalRef> rematched;                ///< told to wait earlier, and no longer do; sorted
    std::vector<FindingChange> findings;             ///< by id
    std::vector<EvidenceAddition> evidence;          ///< by (finding, signal)
    std::vector<IncidentRecord> incidents;           ///< by number
    std::vector<StoredEdit> stored_edits;            ///< in order, after the incidents
    std::vector<IncidentActivity> activity;          ///< in order
    std::vector<NearMissRecord> near_misses;         ///< new ones
    std::optional<Timestamp> near_misses_kept_from;  ///< those that were over before are to be forgotten
    TenantStatus status;
};
using Effects = std::vector<TenantEffects>;  ///< by tenant, only tenants with changes

}  // namespace catenary::engine
