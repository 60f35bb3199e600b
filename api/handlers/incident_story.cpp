#include "api/handlers/incidents.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/finding_json.hpp"
#include "api/json/incident_json.hpp"
#include "api/json/signal_row_json.hpp"
#include "api/json/time_json.hpp"

#include <array>
#include <map>
#include <utility>

namespace catenary::api::handlers {

using Json = nlohmann::ordered_json;

namespace {

// What the engine writes into histories.
constexpr std::array<std::string_view, 16> activity_words{
    "created",       "evidence_added", "finding_added", "finding_moved", "finding_superseded", "merged",        "merge_refused",    "split",
    "split_refused", "status_changed", "classified",    "owner_changed", "labels_changed",     "title_changed", "severity_changed", "commented"};

/// Bits of each (finding, stage) in its finding's score.
using StageBits = std::map<std::pair<std::string, std::string>, double>;

StageBits stage_bits(const std::vector<engine::FindingRecord>& findings) {
    StageBits bits;
    for (const auto& finding : findings) {
        for (const auto& part : finding.score.contributions) bits.emplace(std::pair{json::text_of(finding.id), part.stage}, part.bits);
    }
    return bits;
}

Json evidence_item(const ports::EvidenceRow& row, const StageBits& bits) {
    auto item = json::to_json(row.signal);
    item["finding"] = json::text_of(row.finding);
    item["stage"] = row.stage;
    const auto found = bits.find({json::text_of(row.finding), row.stage});
    item["contribution_bits"] = found == bits.end() ? Json(nullptr) : Json(found->second);
    return item;
}

Json timeline_item(const ports::EvidenceRow& row, engine::Timestamp first_activity) {
    const auto signal = json::to_json(row.signal);
    Json item{{"time", signal["time"]}, {"offset", json::format_iso_duration(row.signal.signal.time - first_activity)}};
    for (const auto* name : {"source", "id", "name", "title", "domain", "severity", "tactics", "techniques", "entities"}) {
        if (const auto it = signal.find(name); it != signal.end()) item[name] = *it;
    }
    item["finding"] = json::text_of(row.finding);
    item["stage"] = row.stage;
    return item;
}

/// Both lists walk the same rows and differ in how they show one.
template <class Show>
http::Response evidence_reply(const http::Request& request, const Caller& caller, ports::Services& services, Show&& show) {
    http::QueryReader query{request};
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto number = number_in_path(request);
    if (!number) return failure_reply(request, number.error());
    const auto evidence = services.incidents.evidence(caller, *number, wanted);
    if (!evidence) return failure_reply(request, evidence.error());
    const auto bits = stage_bits(evidence->findings);
    return page_reply(evidence->page, request, caller, services, [&](const auto& row) { return show(row, evidence->record.first_activity, bits); });
}

}  // namespace

http::Response incident_evidence(const http::Request& request, const Caller& caller, ports::Services& services) {
    return evidence_reply(request, caller, services, [](const auto& row, engine::Timestamp, const auto& bits) { return evidence_item(row, bits); });
}

http::Response incident_timeline(const http::Request& request, const Caller& caller, ports::Services& services) {
    return evidence_reply(request, caller, services,
                          [](const auto& row, engine::Timestamp first_activity, const auto&) { return timeline_item(row, first_activity); });
}

http::Response incident_activity(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    std::vector<std::string> kinds;
    for (const auto i : query.words("what", activity_words)) kinds.emplace_back(activity_words[i]);
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto incident = incident_in_path(request, caller, services);
    if (!incident) return failure_reply(request, incident.error());
    const auto page = services.incidents.activity(caller, incident->number, kinds, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const auto& line) { return json::to_json(line); });
}

}  // namespace catenary::api::handlers
