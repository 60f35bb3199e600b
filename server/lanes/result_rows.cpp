#include "server/lanes/result_rows.hpp"

#include "api/json/record_text.hpp"
#include "api/json/time_json.hpp"
#include "server/ingest/signal_row.hpp"

#include <fmt/format.h>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <set>

namespace catenary::server {
namespace {

using Json = nlohmann::ordered_json;

Json time_of(engine::Timestamp time) { return api::json::format_time(time); }
Json time_of(const std::optional<engine::Timestamp>& time) { return time ? time_of(*time) : Json{}; }
Json uuid_of(const engine::FindingId& id) { return boost::uuids::to_string(id.value()); }
Json uuid_of(const SignalKey& key) { return fmt::format("{:016x}{:016x}", key.high, key.low); }

std::vector<std::string> key_texts(const std::vector<engine::EntityKey>& entities) {
    std::vector<std::string> texts;
    for (const auto& entity : entities) texts.push_back(entity.kind + ':' + entity.value);
    return texts;
}

Json absence_of(const engine::FindingRecord& finding) {
    auto text = api::json::absence_to_text(finding);
    return text ? Json(std::move(*text)) : Json{};
}

Json finding_row(engine::TenantId tenant, engine::Position position, const engine::FindingRecord& finding) {
    return {{"tenant", tenant.value()},
            {"id", uuid_of(finding.id)},
            {"pattern", finding.pattern},
            {"version", finding.version},
            {"mode", engine::to_string(finding.mode)},
            {"state", engine::to_string(finding.state)},
            {"title", finding.title},
            {"summary", finding.summary},
            {"severity", static_cast<int>(finding.severity)},
            {"score", finding.score.probability},
            {"incident", finding.incident ? Json(finding.incident->value()) : Json{}},
            {"superseded_by", finding.superseded_by ? uuid_of(*finding.superseded_by) : Json{}},
            {"start_time", time_of(finding.start)},
            {"end_time", time_of(finding.end)},
            {"evidence_total", finding.evidence_total},
            {"tactics", finding.tactics},
            {"techniques", finding.techniques},
            {"domains", finding.domains},
            {"principal_keys", key_texts(finding.principals)},
            {"principals", api::json::entity_keys_to_text(finding.principals)},
            {"stages", api::json::stages_to_text(finding.stages)},
            {"score_detail", api::json::score_to_text(finding.score)},
            {"waiting_until", time_of(finding.waiting_until)},
            {"absence", absence_of(finding)},
            {"position", position.value()}};
}

Json evidence_row(engine::TenantId tenant, const engine::EvidenceAddition& addition, const FoundSignal& found) {
    const auto& signal = found.signal;
    return {{"tenant", tenant.value()},
            {"finding", uuid_of(addition.finding)},
            {"time", time_of(signal.time)},
            {"source", signal.source},
            {"source_id", signal.id},
            {"stage", addition.stage},
            {"key", uuid_of(found.key)},
            {"domain", signal.domain},
            {"name", signal.name},
            {"title", found.title},
            {"tactics", signal.tactics},
            {"techniques", signal.techniques},
            {"severity", static_cast<int>(signal.severity)},
            {"confidence", signal.confidence},
            {"count", signal.count},
            {"entities", mentions_to_text(signal.entities)},
            {"attributes", found.attributes.empty() ? Json{} : Json(found.attributes)},
            {"shown", found.shown.empty() ? Json{} : Json(found.shown)},
            {"received", time_of(found.received)}};
}

Json incident_row(engine::TenantId tenant, engine::Position position, const engine::IncidentRecord& incident) {
    std::vector<std::int64_t> related;
    for (const auto& number : incident.related) related.push_back(number.value());
    return {{"tenant", tenant.value()},
            {"number", incident.number.value()},
            {"title", incident.title},
            {"summary", incident.summary},
            {"severity", static_cast<int>(incident.severity)},
            {"score", incident.score},
            {"status", engine::to_string(incident.status)},
            {"classification", incident.classification ? Json(engine::to_string(*incident.classification)) : Json{}},
            {"classification_reason", incident.classification_reason},
            {"owner", incident.owner},
            {"labels", incident.labels},
            {"tactics", incident.tactics},
            {"techniques", incident.techniques},
            {"domains", incident.domains},
            {"patterns", incident.patterns},
            {"entity_keys", key_texts(incident.entities)},
            {"principals", api::json::entity_keys_to_text(incident.principals)},
            {"entities", api::json::entity_keys_to_text(incident.entities)},
            {"entity_total", incident.entity_total},
            {"first_activity", time_of(incident.first_activity)},
            {"last_activity", time_of(incident.last_activity)},
            {"created", time_of(incident.created)},
            {"updated", time_of(incident.updated)},
            {"signal_count", incident.signal_count},
            {"finding_count", incident.finding_count},
            {"revision", incident.revision},
            {"merged_into", incident.merged_into ? Json(incident.merged_into->value()) : Json{}},
            {"related", related},
            {"position", position.value()}};
}

Json edit_row(engine::TenantId tenant, const engine::StoredEdit& stored) {
    const auto& edit = stored.edit;
    const auto word = [](const auto& value) { return value ? Json(engine::to_string(*value)) : Json{}; };
    const auto text = [](const std::optional<std::string>& value) { return value ? Json(*value) : Json{}; };
    return {{"tenant", tenant.value()},
            {"number", edit.number.value()},
            {"status", word(edit.status)},
            {"classification", word(edit.classification)},
            {"reason", text(edit.reason)},
            {"owner", text(edit.owner)},
            {"title", text(edit.title)},
            {"severity", edit.severity ? Json(static_cast<int>(*edit.severity)) : Json{}},
            {"labels", edit.labels ? Json(*edit.labels) : Json{}},
            {"at", time_of(stored.at)},
            {"position", stored.position.value()}};
}

/// Lines are numbered within (incident, entry): the same whether or not entries share a transaction.
Json activity_rows(engine::TenantId tenant, const std::vector<engine::IncidentActivity>& activity) {
    std::map<std::pair<std::int64_t, std::int64_t>, int> lines;
    Json rows = Json::array();
    for (const auto& line : activity) {
        rows.push_back({{"tenant", tenant.value()},
                        {"number", line.number.value()},
                        {"position", line.position.value()},
                        {"line", lines[{line.number.value(), line.position.value()}]++},
                        {"at", time_of(line.at)},
                        {"actor", line.actor},
                        {"what", line.what},
                        {"detail", line.detail}});
    }
    return rows;
}

/// Of a near miss: the same chain has the same name, whenever it is written.
std::string name_of(engine::TenantId tenant, const engine::NearMissRecord& miss) {
    constexpr boost::uuids::uuid of_near_misses{{0x4c, 0x1d, 0x0e, 0x5a, 0x9b, 0x7d, 0x4f, 0x02, 0x8a, 0x64, 0x1f, 0x3b, 0x52, 0xc9, 0x7e, 0x11}};
    boost::uuids::name_generator_sha1 named{of_near_misses};
    return boost::uuids::to_string(named(fmt::format("{}/{}/{}/{}/{}:{}/{}", tenant.value(), miss.pattern.size(), miss.pattern, miss.version, miss.entity.kind,
                                                     miss.entity.value, engine::to_micros(miss.start))));
}

Json near_miss_rows(engine::TenantId tenant, engine::Position position, const std::vector<engine::NearMissRecord>& misses) {
    Json rows = Json::array();
    for (const auto& miss : misses) {
        rows.push_back({{"tenant", tenant.value()},
                        {"id", name_of(tenant, miss)},
                        {"pattern", miss.pattern},
                        {"version", miss.version},
                        {"mode", engine::to_string(miss.mode)},
                        {"entity_key", miss.entity.kind + ':' + miss.entity.value},
                        {"entity", api::json::entity_keys_to_text({miss.entity})},
                        {"reached", api::json::chain_stages_to_text(miss.reached)},
                        {"missing", miss.missing},
                        {"start_time", time_of(miss.start)},
                        {"end_time", time_of(miss.end)},
                        {"until_time", time_of(miss.until)},
                        {"position", position.value()}});
    }
    return rows;
}

Json status_row(engine::Position position, const engine::TenantStatus& status) {
    return {{"tenant", status.tenant.value()},
            {"position", position.value()},
            {"watermark", time_of(status.watermark)},
            {"held", status.held},
            {"newest", time_of(status.newest)},
            {"lateness", fmt::format("{} microseconds", status.lateness.count())},
            {"signals", status.signals},
            {"late", status.late},
            {"unlinkable", status.unlinkable},
            {"behind_horizon", status.behind_horizon},
            {"oldest_behind_horizon", time_of(status.oldest_behind_horizon)},
            {"capped_groups", status.capped_groups},
            {"window_signals", status.window_signals},
            {"evicted_signals", status.evicted_signals},
            {"turned_away_signals", status.turned_away_signals},
            {"near_misses_dropped", status.near_misses_dropped},
            {"aggregated_findings", status.aggregated_findings},
            {"incidents_cut_short", status.incidents_cut_short},
            {"rematches", status.rematches.made},
            {"rematch_signals", status.rematches.signals},
            {"rematches_cut", status.rematches.cut},
            {"rematches_given_up", status.rematches.given_up},
            {"rematch_backlog", status.rematch_backlog},
            {"oldest_rematch_waiting", time_of(status.oldest_rematch_waiting)},
            {"state_bytes", status.state_bytes}};
}

/// "2 findings from incident 7: why" -> 7; 0 when it was the other way.
std::int64_t split_from(std::string_view detail) {
    constexpr std::string_view words = " from incident ";
    detail = detail.substr(0, detail.find(':'));
    const auto at = detail.find(words);
    std::int64_t number = 0;
    if (at != std::string_view::npos) std::from_chars(detail.data() + at + words.size(), detail.data() + detail.size(), number);
    return number;
}

std::vector<ChangedIncident> changed_incidents(const engine::TenantEffects& effects) {
    std::map<std::int64_t, std::string_view> causes;
    std::map<std::int64_t, std::int64_t> origins;
    for (const auto& incident : effects.incidents) causes.emplace(incident.number.value(), "crossed");
    for (const auto& stored : effects.stored_edits) {
        const bool opens = stored.edit.status && *stored.edit.status != engine::IncidentStatus::closed;
        causes[stored.edit.number.value()] = opens ? "reopened" : "crossed";
    }
    for (const auto& line : effects.activity) {
        const auto known = causes.find(line.number.value());
        if (known == causes.end()) continue;
        const auto origin = line.what == "split" ? split_from(line.detail) : 0;
        if (origin > 0) origins[known->first] = origin;
        if (line.what == "created" || origin > 0) known->second = "created";
        if (line.what == "status_changed" && line.detail.starts_with("closed \u2192") && known->second != "created") known->second = "reopened";
    }
    std::vector<ChangedIncident> changed;
    for (const auto& [number, cause] : causes) {
        const auto origin = origins.find(number);
        changed.push_back({number, cause, origin == origins.end() ? 0 : origin->second});
    }
    return changed;
}

std::string text_of(const Json& rows) { return rows.empty() ? std::string{} : rows.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// Without a tree in between: a source that is behind has every one of its signals marked.
std::string late_rows(const engine::TenantEffects& effects, const std::vector<SignalKey>& keys) {
    std::string text;
    for (std::size_t i = 0; i < effects.late.size(); ++i) {
        const auto& ref = effects.late[i];
        const bool behind_horizon = std::binary_search(effects.behind_horizon.begin(), effects.behind_horizon.end(), ref);
        fmt::format_to(std::back_inserter(text), R"({}{{"tenant":{},"key":"{:016x}{:016x}","time":"{}","behind_horizon":{}}})", text.empty() ? '[' : ',',
                       effects.tenant.value(), keys.at(i).high, keys.at(i).low, api::json::format_time(ref.time), behind_horizon);
    }
    return text.empty() ? text : text + ']';
}

std::string rematched_rows(engine::TenantId tenant, const std::vector<SignalKey>& keys) {
    Json rows = Json::array();
    for (const auto& key : keys) rows.push_back({{"tenant", tenant.value()}, {"key", fmt::format("{:016x}{:016x}", key.high, key.low)}});
    return text_of(rows);
}

}  // namespace

std::vector<engine::SignalRef> evidence_of(const engine::TenantEffects& effects) {
    std::set<engine::SignalRef> wanted;
    for (const auto& addition : effects.evidence) wanted.insert(addition.signal);
    return {wanted.begin(), wanted.end()};
}

ResultRows result_rows(const engine::TenantEffects& effects, engine::Position position, const std::vector<SignalKey>& late_keys,
                       const std::vector<SignalKey>& rematched_keys, const std::map<engine::SignalRef, FoundSignal>& found) {
    const auto tenant = effects.tenant;
    Json emptied = Json::array(), findings = Json::array(), evidence = Json::array(), incidents = Json::array();
    for (const auto& change : effects.findings) {
        findings.push_back(finding_row(tenant, position, change.record));
        if (change.replace_evidence) emptied.push_back({{"tenant", tenant.value()}, {"id", uuid_of(change.record.id)}});
    }
    for (const auto& addition : effects.evidence) evidence.push_back(evidence_row(tenant, addition, found.at(addition.signal)));
    ResultRows rows;
    for (const auto& edit : effects.stored_edits) rows.stored_edits.push_back(text_of(edit_row(tenant, edit)));
    for (const auto& incident : effects.incidents) incidents.push_back(incident_row(tenant, position, incident));
    rows.tenant = tenant;
    rows.changed = changed_incidents(effects);
    rows.late = late_rows(effects, late_keys);
    rows.rematched = rematched_rows(tenant, rematched_keys);
    rows.emptied = text_of(emptied);
    rows.findings = text_of(findings);
    rows.evidence = text_of(evidence);
    rows.incidents = text_of(incidents);
    rows.activity = text_of(activity_rows(tenant, effects.activity));
    rows.near_misses = text_of(near_miss_rows(tenant, position, effects.near_misses));
    if (effects.near_misses_kept_from) rows.near_misses_forgotten = text_of({{"tenant", tenant.value()}, {"before", time_of(*effects.near_misses_kept_from)}});
    rows.status = text_of(Json::array({status_row(position, effects.status)}));
    return rows;
}

const ResultTable late_table{"late_signal", "tenant int4, key uuid, time timestamptz, behind_horizon bool", "tenant, key", true};
const ResultTable finding_table{
    "finding",
    "tenant int4, id uuid, pattern text, version int4, mode text, state text, title text, summary text, severity int2, score float8, incident int8, "
    "superseded_by uuid, start_time timestamptz, end_time timestamptz, evidence_total int8, tactics text[], techniques text[], domains text[], "
    "principal_keys text[], principals text, stages text, score_detail text, waiting_until timestamptz, absence text, position int8",
    "tenant, id"};
const ResultTable evidence_table{
    "finding_evidence",
    "tenant int4, finding uuid, time timestamptz, source text, source_id text, stage text, key uuid, domain text, name text, title text, tactics text[], "
    "techniques text[], severity int2, confidence float8, count int8, entities text, attributes text, shown text, received timestamptz",
    "tenant, finding, time, source, source_id"};
const ResultTable incident_table{
    "incident",
    "tenant int4, number int8, title text, summary text, severity int2, score float8, status text, classification text, classification_reason text, owner "
    "text, labels text[], "
    "tactics text[], techniques text[], domains text[], patterns text[], entity_keys text[], principals text, entities text, entity_total int8, "
    "first_activity timestamptz, last_activity timestamptz, created timestamptz, updated timestamptz, signal_count int8, finding_count int8, revision int8, "
    "merged_into int8, related int8[], position int8",
    "tenant, number"};
const ResultTable activity_table{"incident_activity", "tenant int4, number int8, position int8, line int4, at timestamptz, actor text, what text, detail text",
                                 "tenant, number, position, line", true};
const ResultTable near_miss_table{
    "near_miss",
    "tenant int4, id uuid, pattern text, version int4, mode text, entity_key text, entity text, reached text, missing text, start_time timestamptz, "
    "end_time timestamptz, until_time timestamptz, position int8",
    "tenant, id", true};
const ResultTable status_table{"tenant_status",
                               "tenant int4, position int8, watermark timestamptz, held bool, newest timestamptz, lateness interval, signals int8, late int8, "
                               "unlinkable int8, behind_horizon int8, oldest_behind_horizon timestamptz, capped_groups int8, window_signals int8, "
                               "evicted_signals int8, turned_away_signals int8, "
                               "near_misses_dropped int8, aggregated_findings int8, incidents_cut_short int8, "
                               "rematches int8, rematch_signals int8, rematches_cut int8, rematches_given_up int8, "
                               "rematch_backlog int8, oldest_rematch_waiting timestamptz, state_bytes int8",
                               "tenant"};

const char* const rematched_sql =
    "UPDATE late_signal l SET behind_horizon = false FROM json_to_recordset($1::json) AS r(tenant int4, key uuid) WHERE l.tenant = r.tenant AND l.key = r.key";

// Reopening clears what was concluded, as it does for incidents that the engine holds.
const char* const edit_sql = R"(
    UPDATE incident i
    SET status = coalesce(e.status, i.status),
        classification = coalesce(e.classification, CASE WHEN i.status = 'closed' AND e.status <> 'closed' THEN NULL ELSE i.classification END),
        classification_reason = coalesce(e.reason, CASE WHEN i.status = 'closed' AND e.status <> 'closed' THEN '' ELSE i.classification_reason END),
        owner = coalesce(e.owner, i.owner), title = coalesce(e.title, i.title), severity = coalesce(e.severity, i.severity),
        labels = coalesce(e.labels, i.labels), revision = i.revision + 1, updated = e.at, position = e.position
    FROM json_to_record($1::json) AS e(tenant int4, number int8, status text, classification text, reason text, owner text, title text, severity int2,
                                       labels text[], at timestamptz, position int8)
    WHERE i.tenant = e.tenant AND i.number = e.number AND i.merged_into IS NULL)";

const char* const forget_near_misses_sql =
    "DELETE FROM near_miss m USING json_to_record($1::json) AS f(tenant int4, before timestamptz) WHERE m.tenant = f.tenant AND m.until_time < f.before";

std::string upsert_sql(const ResultTable& table) {
    std::string names, updates;
    for (std::string_view rest = table.columns; !rest.empty();) {
        const auto column = rest.substr(0, std::min(rest.find(", "), rest.size()));
        rest.remove_prefix(std::min(column.size() + 2, rest.size()));
        const auto name = column.substr(0, column.find(' '));
        names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
        updates += fmt::format("{}{} = EXCLUDED.{}", updates.empty() ? "" : ", ", name, name);
    }
    const auto conflict = table.keeps_first ? std::string{"NOTHING"} : "UPDATE SET " + updates;
    return fmt::format("INSERT INTO {0} ({1}) SELECT {1} FROM json_to_recordset($1::json) AS r({2}) ON CONFLICT ({3}) DO {4}", table.name, names, table.columns,
                       table.key, conflict);
}

}  // namespace catenary::server
