#pragma once

#include "engine/lane/effects.hpp"
#include "server/lanes/signal_finder.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server {

/// An incident that changed, and how: "created", "reopened", or "crossed" for any other change, which may have carried it over a connector's bound.
struct ChangedIncident {
    std::int64_t number = 0;
    std::string_view cause;
    std::int64_t split_from = 0;  ///< the incident whose findings it was made of by hand; 0: none
};

/// What one tenant's effects say, as rows for the result tables: each text is a JSON array of objects whose members are the columns, so that a table's
/// rows travel as one parameter (json_to_recordset). Empty text: nothing to write.
struct ResultRows {
    engine::TenantId tenant;
    std::string late;
    std::string rematched;  ///< rows of rematched_sql
    std::string emptied;    ///< findings whose stored evidence goes first
    std::string findings;
    std::string evidence;
    std::string incidents;
    std::vector<std::string> stored_edits;  ///< in order, each the one row of edit_sql
    std::string activity;
    std::string near_misses;
    std::string near_misses_forgotten;  ///< the one row of forget_near_misses_sql
    std::string status;
    std::vector<ChangedIncident> changed;  ///< each once

    /// Something that people see changed, not only the tenant's counters.
    bool visible() const {
        return !late.empty() || !rematched.empty() || !findings.empty() || !evidence.empty() || !incidents.empty() || !stored_edits.empty() ||
               !activity.empty() || !near_misses.empty();
    }
};

/// `position`: of the last entry that the effects come from. `late_keys`: of the signals to mark late, in their order; `rematched_keys`: of those that wait no
/// longer. `found`: the signals of all evidence. UTC, seven-bit punctuation, no NUL: what ingest lets through.
ResultRows result_rows(const engine::TenantEffects& effects, engine::Position position, const std::vector<SignalKey>& late_keys,
                       const std::vector<SignalKey>& rematched_keys, const std::map<engine::SignalRef, FoundSignal>& found);

/// The signals that new evidence names, each once.
std::vector<engine::SignalRef> evidence_of(const engine::TenantEffects& effects);

/// The columns of each table's rows with their types, as json_to_recordset wants them: "tenant int4, id uuid, …".
struct ResultTable {
    std::string_view name;
    std::string_view columns;
    std::string_view key;      ///< of its primary key
    bool keeps_first = false;  ///< an existing row stays as it is; else it is rewritten
};
extern const ResultTable late_table, finding_table, evidence_table, incident_table, activity_table, near_miss_table, status_table;

/// Takes the mark off signals that waited to be matched again; $1: of ResultRows::rematched.
extern const char* const rematched_sql;

/// Makes one edit on the stored row of an incident that the engine no longer holds; $1: of ResultRows::stored_edits.
extern const char* const edit_sql;

/// Deletes a tenant's near misses that were over before a time; $1: ResultRows::near_misses_forgotten.
extern const char* const forget_near_misses_sql;

/// "INSERT INTO finding (…) SELECT … FROM json_to_recordset($1::json) … ON CONFLICT …".
std::string upsert_sql(const ResultTable& table);

}  // namespace catenary::server
