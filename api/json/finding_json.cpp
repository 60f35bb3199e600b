#include "api/json/finding_json.hpp"

#include "api/json/time_json.hpp"

#include <boost/uuid/uuid_io.hpp>
#include <nlohmann/json.hpp>

namespace catenary::api::json {

using Json = nlohmann::ordered_json;

std::string text_of(const engine::FindingId& id) { return boost::uuids::to_string(id.value()); }

Json to_json(const engine::EntityKey& entity) { return {{"kind", entity.kind}, {"value", entity.value}}; }

Json to_json(const engine::SignalRef& signal) { return {{"source", signal.source}, {"id", signal.id}, {"time", format_time(signal.time)}}; }

namespace {

Json contributions_of(const engine::Score& score) {
    Json list = Json::array();
    for (const auto& part : score.contributions) list.push_back({{"stage", part.stage}, {"bits", part.bits}, {"reason", part.reason}});
    return list;
}

Json list_of(const std::vector<engine::EntityKey>& entities) {
    Json list = Json::array();
    for (const auto& entity : entities) list.push_back(to_json(entity));
    return list;
}

}  // namespace

Json to_json(const engine::Score& score) {
    return {{"prior_bits", score.prior_bits},
            {"contributions", contributions_of(score)},
            {"domain_bonus_bits", score.domain_bonus_bits},
            {"phase_bonus_bits", score.phase_bonus_bits},
            {"total_bits", score.total_bits},
            {"probability", score.probability}};
}

Json to_json(const engine::StageSummary& stage) {
    Json value{{"id", stage.id}, {"count", stage.count}};
    value["matched_by"] = stage.first ? Json(stage.first->source + '/' + stage.first->id) : Json(nullptr);
    if (stage.first) value["at"] = format_time(stage.first->time);
    value["because"] = stage.because;
    if (stage.after) value["after"] = format_iso_duration(*stage.after);
    if (stage.limit) value["limit"] = format_iso_duration(*stage.limit);
    if (stage.linked_by) value["linked_by"] = to_json(*stage.linked_by);
    return value;
}

Json to_json(const engine::FindingRecord& finding) {
    Json value{{"id", text_of(finding.id)},
               {"kind", "pattern"},
               {"state", engine::to_string(finding.state)},
               {"pattern", finding.pattern},
               {"version", finding.version},
               {"mode", engine::to_string(finding.mode)},
               {"title", finding.title},
               {"summary", finding.summary},
               {"severity", engine::to_string(finding.severity)},
               {"tactics", finding.tactics},
               {"techniques", finding.techniques},
               {"domains", finding.domains},
               {"principals", list_of(finding.principals)},
               {"start", format_time(finding.start)},
               {"end", format_time(finding.end)},
               {"score", finding.score.probability},
               {"prior_bits", finding.score.prior_bits},
               {"contributions", contributions_of(finding.score)},
               {"domain_bonus_bits", finding.score.domain_bonus_bits},
               {"phase_bonus_bits", finding.score.phase_bonus_bits},
               {"total_bits", finding.score.total_bits}};
    auto& stages = value["stages"] = Json::array();
    for (const auto& stage : finding.stages) stages.push_back(to_json(stage));
    value["evidence_total"] = finding.evidence_total;
    value["waiting_for"] = finding.waiting_until ? Json{{"until", format_time(*finding.waiting_until)}, {"absent", finding.absences}} : Json(nullptr);
    if (!finding.late_answers.empty()) {
        auto& late = value["late_answers"] = Json::array();
        for (const auto& [signal, absence] : finding.late_answers) {
            late.push_back({{"source", signal.source}, {"id", signal.id}, {"time", format_time(signal.time)}, {"absent", absence}});
        }
        value["more_late_answers"] = finding.more_late_answers;
    }
    value["incident"] = finding.incident ? Json(finding.incident->value()) : Json(nullptr);
    if (finding.superseded_by) value["superseded_by"] = text_of(*finding.superseded_by);
    return value;
}

Json to_json(const ports::FindingWithEvidence& finding) {
    auto value = to_json(finding.record);
    auto& evidence = value["evidence"] = Json::array();
    for (const auto& [signal, stage] : finding.evidence) evidence.push_back({{"source", signal.source}, {"id", signal.id}, {"stage", stage}});
    return value;
}

}  // namespace catenary::api::json
