#include "tests/simulator/stored_findings.hpp"

#include "api/json/record_text.hpp"
#include "api/json/time_json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace catenary::simulator {
namespace {

using engine::SignalRef;
using engine::Timestamp;
using Json = nlohmann::ordered_json;

std::string text(const Json& row, const char* column) { return row.at(column).get<std::string>(); }
std::optional<Timestamp> time(const Json& row, const char* column) {
    return row.at(column).is_null() ? std::nullopt : api::json::parse_time(text(row, column));
}

template <class Visit>
void each_row(const Tables& tables, const char* name, engine::TenantId tenant, Visit visit) {
    const auto table = tables.find(name);
    if (table == tables.end()) return;
    for (const auto& [key, row] : table->second) {
        if (row.at("tenant") == tenant.value()) visit(row);
    }
}

void read_absence(const std::string& text, Seen& finding) {
    engine::FindingRecord record;
    api::json::read_absence(text, record);
    for (const auto& answer : record.late_answers) {
        const auto condition = std::find(record.absences.begin(), record.absences.end(), answer.absence) - record.absences.begin();
        finding.late_answers.emplace(answer.signal, static_cast<std::size_t>(condition));
    }
    finding.more_late_answers = record.more_late_answers;
}

}  // namespace

std::string said(const std::optional<Timestamp>& time) { return time ? api::json::format_time(*time) : "never"; }

std::string said(const Seen& finding) {
    auto words = fmt::format("\n  {} .. {}", api::json::format_time(finding.start), api::json::format_time(finding.end));
    if (finding.waiting_until) words += " waiting until " + said(finding.waiting_until);
    for (const auto& principal : finding.principals) words += " " + principal;
    words += ":";
    for (const auto& [ref, stage] : finding.evidence) words += fmt::format(" {}/{}@{}", ref.source, ref.id, stage);
    for (const auto& [ref, condition] : finding.late_answers) words += fmt::format(", late {}/{} of {}", ref.source, ref.id, condition);
    return words;
}

TenantResults::TenantResults(const Tables& tables, engine::TenantId tenant) {
    each_row(tables, "tenant_status", tenant, [&](const Json& row) { status_ = &row; });
    read_activity(tables, tenant);
    read_findings(tables, tenant);
}

void TenantResults::read_activity(const Tables& tables, engine::TenantId tenant) {
    each_row(tables, "incident_activity", tenant, [&](const Json& row) {
        const auto what = text(row, "what");
        const auto is_of_status = what == "status_changed";
        by_hand_ = by_hand_ || ((is_of_status || what == "merged" || what == "split") && !text(row, "actor").empty());
        if (!is_of_status) return;
        const auto detail = text(row, "detail");
        if (detail.find("closed") != std::string::npos) closed_once_.insert(row.at("number").get<std::int64_t>());
        else reopened_ = reopened_ || detail.starts_with("→");  // of an incident that was not in memory, where the history does not say from what
        reopened_ = reopened_ || detail.starts_with("closed →");
    });
}

void TenantResults::read_findings(const Tables& tables, engine::TenantId tenant) {
    std::map<std::string, std::map<SignalRef, std::string>> evidence;
    each_row(tables, "finding_evidence", tenant, [&](const Json& row) {
        evidence[text(row, "finding")].emplace(SignalRef{time(row, "time").value(), text(row, "source"), text(row, "source_id")}, text(row, "stage"));
    });
    each_row(tables, "finding", tenant, [&](const Json& row) {
        if (row.at("state") == "superseded") return;
        StoredFinding& stored = findings_.emplace_back();
        stored.id = text(row, "id");
        stored.pattern = text(row, "pattern");
        stored.version = row.at("version").get<std::int32_t>();
        stored.mode = text(row, "mode");
        stored.state = text(row, "state");
        stored.score = row.at("score").get<double>();
        if (!row.at("incident").is_null()) stored.incident = row.at("incident").get<std::int64_t>();
        stored.was_closed = stored.incident && (reopened_ || closed_once_.contains(*stored.incident));  // a split moves what one that was reopened had
        stored.finding.start = time(row, "start_time").value();
        stored.finding.end = time(row, "end_time").value();
        stored.finding.waiting_until = time(row, "waiting_until");
        for (const auto& principal : row.at("principal_keys")) stored.finding.principals.insert(principal.get<std::string>());
        stored.finding.evidence = evidence[stored.id];
        if (!row.at("absence").is_null()) read_absence(text(row, "absence"), stored.finding);
    });
}

}  // namespace catenary::simulator
