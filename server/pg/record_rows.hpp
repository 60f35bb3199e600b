#pragma once

#include "api/ports/ports.hpp"
#include "engine/incidents/records.hpp"

#include <pqxx/pqxx>

#include <string>
#include <vector>

namespace catenary::server::pg {

// Rows of finding, incident and finding_evidence as records. A `columns` constant names what its reader expects, in that order; tables are aliased
// f, i and e. Readers throw std::invalid_argument on text that no version of this program has written.

inline constexpr const char* finding_columns =
    "f.id, f.state, f.pattern, f.version, f.mode, f.title, f.severity, f.tactics, f.techniques, f.domains, f.principals, f.start_time, f.end_time, "
    "f.score_detail, f.stages, f.evidence_total, f.superseded_by, f.incident, f.summary, f.waiting_until, f.absence";
engine::FindingRecord finding_from(const pqxx::row& row);

inline constexpr const char* incident_columns =
    "i.number, i.title, i.summary, i.severity, i.score, i.status, i.classification, i.classification_reason, i.owner, i.tactics, i.techniques, i.domains, "
    "i.patterns, i.principals, i.entities, i.entity_total, i.first_activity, i.last_activity, i.created, i.updated, i.signal_count, i.finding_count, "
    "i.revision, i.merged_into, i.related, i.labels";
engine::IncidentRecord incident_from(const pqxx::row& row);

inline constexpr const char* evidence_columns =
    "e.finding, e.stage, e.time, e.source, e.source_id, e.domain, e.name, e.title, e.tactics, e.techniques, e.severity, e.confidence, e.count, e.entities, "
    "coalesce(e.attributes, '{}'), coalesce(e.shown, ''), e.received, e.late";
api::ports::EvidenceRow evidence_from(const pqxx::row& row);

/// "kind:value" of each, as the columns for filters hold them.
std::vector<std::string> entity_key_texts(const std::vector<engine::EntityKey>& entities);

}  // namespace catenary::server::pg
