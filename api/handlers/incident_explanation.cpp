#include "api/catalogue/shipped_patterns.hpp"
#include "api/handlers/incidents.hpp"
#include "api/handlers/reply.hpp"
#include "api/handlers/what_if.hpp"
#include "api/json/finding_json.hpp"

#include <memory>
#include <set>
#include <utility>

namespace catenary::api::handlers {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t most_findings = 50;
constexpr std::size_t most_conditions = 40;

Json finding_explained(const engine::FindingRecord& finding) {
    Json value{
        {"id", json::text_of(finding.id)}, {"pattern", finding.pattern}, {"version", finding.version}, {"title", finding.title}, {"summary", finding.summary}};
    auto& principals = value["principals"] = Json::array();
    for (const auto& principal : finding.principals) principals.push_back(json::to_json(principal));
    auto& stages = value["stages"] = Json::array();
    for (const auto& stage : finding.stages) stages.push_back(json::to_json(stage));
    value["score"] = json::to_json(finding.score);
    return value;
}

/// The version of the pattern that made a finding; null when it neither ships nor is stored.
ports::Outcome<std::shared_ptr<const engine::Pattern>> pattern_of(const engine::FindingRecord& finding, const Caller& caller, ports::Services& services) {
    const auto stored = services.patterns.version(caller, finding.pattern, finding.version);
    if (!stored && stored.error().code != ports::FailureCode::not_found) return stored.error();
    if (!stored) {
        const auto* shipped = catalogue::find_shipped(finding.pattern);
        return shipped != nullptr && shipped->pattern->version == finding.version ? shipped->pattern : std::shared_ptr<const engine::Pattern>{};
    }
    return std::make_shared<const engine::Pattern>(documents::stored_pattern(stored->document_json, stored->version, stored->mode));
}

}  // namespace

http::Response incident_explanation(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto incident = story_in_path(request, caller, services);
    if (!incident) return failure_reply(request, incident.error());
    const auto findings = services.incidents.findings(caller, incident->number);
    if (!findings) return failure_reply(request, findings.error());

    Json body{{"incident", incident->number.value()}, {"summary", incident->summary}};
    auto& explained = body["findings"] = Json::array();
    std::set<std::pair<std::string, std::int32_t>> seen;  // patterns whose conditions are listed already
    std::vector<std::string> conditions;
    for (const auto& finding : *findings) {
        if (explained.size() == most_findings) break;
        explained.push_back(finding_explained(finding));
        if (!seen.emplace(finding.pattern, finding.version).second) continue;
        const auto pattern = pattern_of(finding, caller, services);
        if (!pattern) return failure_reply(request, pattern.error());
        if (*pattern == nullptr) continue;
        for (auto& condition : would_not_fire_if(**pattern)) {
            if (conditions.size() < most_conditions) conditions.push_back(std::move(condition));
        }
    }
    body["finding_total"] = findings->size();
    body["would_not_fire_if"] = conditions;
    return json_reply(200, body);
}

}  // namespace catenary::api::handlers
