#include "tests/simulator/stored_incidents.hpp"

#include "api/json/record_text.hpp"
#include "api/json/time_json.hpp"

#include <fmt/format.h>
#include <boost/uuid/string_generator.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace catenary::simulator {
namespace {

using Json = nlohmann::ordered_json;
using Rows = Tables::mapped_type;

const Rows& rows_of(const Tables& tables, const std::string& name) {
    static const Rows none;
    const auto found = tables.find(name);
    return found == tables.end() ? none : found->second;
}

std::string text(const Json& row, const char* column) { return row.at(column).get<std::string>(); }
std::int64_t number(const Json& row, const char* column) { return row.at(column).get<std::int64_t>(); }
engine::Timestamp time(const Json& row, const char* column) { return api::json::parse_time(text(row, column)).value(); }
std::vector<std::string> texts(const Json& row, const char* column) { return row.at(column).get<std::vector<std::string>>(); }
engine::FindingId finding_id(const std::string& text) { return engine::FindingId{boost::uuids::string_generator{}(text)}; }

engine::IncidentRecord incident_of(const Json& row) {
    engine::IncidentRecord incident;
    incident.number = engine::IncidentNumber{number(row, "number")};
    incident.title = text(row, "title");
    incident.summary = text(row, "summary");
    incident.severity = static_cast<engine::Severity>(number(row, "severity"));
    incident.score = row.at("score").get<double>();
    incident.status = engine::incident_status_from(text(row, "status")).value();
    if (!row.at("classification").is_null()) incident.classification = engine::classification_from(text(row, "classification")).value();
    incident.classification_reason = text(row, "classification_reason");
    incident.owner = text(row, "owner");
    incident.labels = texts(row, "labels");
    incident.tactics = texts(row, "tactics");
    incident.techniques = texts(row, "techniques");
    incident.domains = texts(row, "domains");
    incident.patterns = texts(row, "patterns");
    incident.principals = api::json::entity_keys_from_text(text(row, "principals"));
    incident.entities = api::json::entity_keys_from_text(text(row, "entities"));
    incident.entity_total = number(row, "entity_total");
    incident.first_activity = time(row, "first_activity");
    incident.last_activity = time(row, "last_activity");
    incident.created = time(row, "created");
    incident.updated = time(row, "updated");
    incident.signal_count = number(row, "signal_count");
    incident.finding_count = number(row, "finding_count");
    incident.revision = number(row, "revision");
    if (!row.at("merged_into").is_null()) incident.merged_into = engine::IncidentNumber{number(row, "merged_into")};
    for (const auto& other : row.at("related")) incident.related.emplace_back(other.get<std::int64_t>());
    return incident;
}

bool is_of(const Json& row, engine::TenantId tenant) { return row.at("tenant") == tenant.value(); }
/// In production and not taken back.
bool is_live(const Json& finding) { return finding.at("state") != "superseded" && finding.at("mode") == "production"; }

using Signals = std::set<engine::SignalRef>;

/// By tenant and finding.
std::map<std::pair<std::int64_t, std::string>, Signals> evidence_of(const Tables& tables) {
    std::map<std::pair<std::int64_t, std::string>, Signals> evidence;
    for (const auto& [key, row] : rows_of(tables, "finding_evidence")) {
        evidence[{number(row, "tenant"), text(row, "finding")}].insert({time(row, "time"), text(row, "source"), text(row, "source_id")});
    }
    return evidence;
}

}  // namespace

engine::StoredIncidents stored_incidents(const Tables& tables, engine::TenantId tenant, std::optional<engine::Timestamp> earliest) {
    std::set<std::int64_t> wanted;  // few here: all of them are among the newest
    std::set<std::int64_t> recent;
    for (const auto& [key, row] : rows_of(tables, "incident")) {
        if (is_of(row, tenant) && row.at("merged_into").is_null()) wanted.insert(number(row, "number"));
    }
    for (const auto& [key, row] : rows_of(tables, "finding")) {
        if (!is_of(row, tenant) || row.at("incident").is_null() || !earliest || time(row, "start_time") < *earliest) continue;
        recent.insert(number(row, "incident"));
    }
    wanted.insert(recent.begin(), recent.end());
    engine::StoredIncidents all;
    std::map<std::int64_t, bool> closed;
    for (const auto& [key, row] : rows_of(tables, "incident")) {
        if (!is_of(row, tenant)) continue;
        const bool redirects = !row.at("merged_into").is_null() && wanted.contains(number(row, "merged_into"));
        if (!wanted.contains(number(row, "number")) && !redirects) continue;
        all.incidents.push_back(incident_of(row));
        closed[number(row, "number")] = row.at("status") == "closed";
    }
    std::ranges::sort(all.incidents, {}, &engine::IncidentRecord::number);
    auto evidence = evidence_of(tables);
    for (const auto& [key, row] : rows_of(tables, "finding")) {
        if (!is_of(row, tenant) || row.at("incident").is_null() || !is_live(row) || !wanted.contains(number(row, "incident"))) continue;
        auto& finding = all.findings.emplace_back();
        finding.id = finding_id(text(row, "id"));
        finding.incident = engine::IncidentNumber{number(row, "incident")};
        finding.start = time(row, "start_time");
        finding.end = time(row, "end_time");
        finding.evidence_total = number(row, "evidence_total");
        if (!closed.at(number(row, "incident")) || !recent.contains(number(row, "incident"))) continue;
        finding.principals = api::json::entity_keys_from_text(text(row, "principals"));
        std::sort(finding.principals.begin(), finding.principals.end());
        const auto& signals = evidence[{tenant.value(), text(row, "id")}];
        finding.evidence.assign(signals.begin(), signals.end());
    }
    return all;
}

std::int64_t last_number(const Tables& tables, engine::TenantId tenant) {
    std::int64_t last = 0;
    for (const auto& [key, row] : rows_of(tables, "incident")) {
        if (is_of(row, tenant)) last = std::max(last, number(row, "number"));
    }
    return last;
}

std::optional<std::string> unsound(const Tables& tables) {
    std::map<std::pair<std::int64_t, std::int64_t>, const Json*> incidents;
    for (const auto& [key, row] : rows_of(tables, "incident")) incidents[{number(row, "tenant"), number(row, "number")}] = &row;
    std::map<const Json*, std::pair<std::int64_t, Signals>> found;
    auto evidence = evidence_of(tables);
    for (const auto& [key, row] : rows_of(tables, "finding")) {
        if (row.at("state") == "superseded") continue;
        const auto& signals = evidence[{number(row, "tenant"), text(row, "id")}];
        if (static_cast<std::int64_t>(signals.size()) != number(row, "evidence_total")) return "a finding has other evidence than it says: " + row.dump();
        if (!is_live(row) || row.at("state") == "waiting") continue;
        if (row.at("incident").is_null()) return "a finding is in no incident: " + row.dump();
        const auto incident = incidents.find({number(row, "tenant"), number(row, "incident")});
        if (incident == incidents.end()) return "a finding is in an incident that is not there: " + row.dump();
        if (!incident->second->at("merged_into").is_null()) return "a finding is in an incident that leads to another: " + row.dump();
        auto& [findings, together] = found[incident->second];
        ++findings;
        together.insert(signals.begin(), signals.end());
    }
    for (const auto& [incident, of] : found) {
        const auto& [findings, together] = of;
        if (number(*incident, "finding_count") == findings && number(*incident, "signal_count") == static_cast<std::int64_t>(together.size())) continue;
        return fmt::format("an incident has {} findings of {} signals and says {}", findings, together.size(), incident->dump());
    }
    return std::nullopt;
}

std::optional<std::string> lost(const Tables& before, const Tables& after) {
    for (const auto* table : {"finding", "incident"}) {
        const auto& rows = rows_of(after, table);
        for (const auto& [key, row] : rows_of(before, table)) {
            if (!rows.contains(key)) return fmt::format("{} {}is no longer there: {}", table, key, row.dump());
        }
    }
    return std::nullopt;
}

}  // namespace catenary::simulator
