#include "api/documents/members.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/filters.hpp"
#include "api/handlers/incidents.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/finding_json.hpp"
#include "api/json/incident_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace catenary::api::handlers {

using documents::optional_member;
using documents::Place;
using engine::FaultCode;
using engine::IncidentNumber;
using Value = nlohmann::json;

namespace {

constexpr std::size_t most_reason_bytes = 4096;
constexpr std::size_t most_comment_bytes = 8192;
constexpr std::size_t most_merged = 50;
constexpr std::size_t most_split_off = 200;

/// The incident and the body of a request that changes it, or why there is none. What a repeated request has done already is in its way no more: it was
/// checked when it was done.
struct Asked {
    engine::IncidentRecord incident;
    Value body;
    std::optional<http::Response> refusal;
};

Asked asked_of(const http::Request& request, const Caller& caller, ports::Services& services) {
    const auto refuse = [](http::Response response) { return Asked{{}, nullptr, std::move(response)}; };
    if (auto refusal = refuse_parameters(request)) return refuse(*std::move(refusal));
    auto body = read_body(request, BodySyntax::json_only);
    if (body.refusal) return refuse(*std::move(body.refusal));
    const auto incident = incident_in_path(request, caller, services);
    if (!incident) return refuse(failure_reply(request, incident.error()));
    if (incident->merged_into && !caller.repeats()) {
        return refuse(
            http::problem(request, http::ProblemKind::conflict, fmt::format("merged into incident {}; change that one", incident->merged_into->value())));
    }
    return {*incident, std::move(body.value), std::nullopt};
}

std::string read_reason(const Place& place, const Value& body) {
    const auto* reason = optional_member(body, "reason");
    return reason == nullptr ? std::string{} : documents::read_text(place.member("reason"), *reason, most_reason_bytes).value_or("");
}

/// A number in a body: of another incident than `own`, open and no redirect.
std::optional<IncidentNumber> read_other(const Place& place, const Value& value, IncidentNumber own, const Caller& caller, ports::Services& services) {
    const auto number = documents::read_integer(place, value, 1, std::numeric_limits<std::int64_t>::max());
    if (!number) return std::nullopt;
    if (IncidentNumber{*number} == own) {
        place.fault(FaultCode::conflict, fmt::format("incident {} cannot be merged with itself", *number));
        return std::nullopt;
    }
    const auto other = services.incidents.find(caller, IncidentNumber{*number});
    if (!other && other.error().code == ports::FailureCode::not_found) place.fault(FaultCode::out_of_range, fmt::format("there is no incident {}", *number));
    else if (other && other->merged_into)
        place.fault(FaultCode::conflict, fmt::format("incident {} is part of incident {}", *number, other->merged_into->value()));
    else if (other && other->status == engine::IncidentStatus::closed)
        place.fault(FaultCode::conflict, fmt::format("incident {} is closed; reopen it first", *number));
    return IncidentNumber{*number};
}

engine::IncidentMerge read_merge(const Place& place, const Value& body, IncidentNumber own, const Caller& caller, ports::Services& services) {
    constexpr std::array<std::string_view, 3> members{"into", "numbers", "reason"};
    engine::IncidentMerge merge{own, {}, {}, caller.key_id};
    if (documents::read_object(place, body, members) == nullptr) return merge;
    merge.reason = read_reason(place, body);
    const auto* into = optional_member(body, "into");
    const auto* numbers = optional_member(body, "numbers");
    if ((into == nullptr) == (numbers == nullptr)) {
        place.fault(into == nullptr ? FaultCode::missing : FaultCode::conflict,
                    "names either \"into\", the incident that takes this one in, or \"numbers\", those that this one takes in");
        return merge;
    }
    if (into != nullptr) {
        if (const auto other = read_other(place.member("into"), *into, own, caller, services)) merge = {*other, {own}, merge.reason, caller.key_id};
        return merge;
    }
    const auto list = place.member("numbers");
    if (documents::read_list(list, *numbers, 1, most_merged) == nullptr) return merge;
    for (std::size_t i = 0; i < numbers->size(); ++i) {
        const auto other = read_other(list.item(i), (*numbers)[i], own, caller, services);
        if (other && std::ranges::find(merge.numbers, *other) == merge.numbers.end()) merge.numbers.push_back(*other);
    }
    return merge;
}

/// One finding to split off; read even where it is a fault, since a repeated request names what has gone to another incident.
std::optional<engine::FindingId> read_finding(const Place& place, const Value& value, const std::vector<engine::FindingRecord>& of_incident) {
    const auto text = documents::read_line(place, value, 64);
    if (!text) return std::nullopt;
    const auto id = finding_id(*text);
    if (!id || std::ranges::find(of_incident, *id, &engine::FindingRecord::id) == of_incident.end())
        place.fault(FaultCode::out_of_range, "is no finding of this incident");
    return id;
}

engine::IncidentSplit read_split(const Place& place, const Value& body, IncidentNumber own, const Caller& caller,
                                 const std::vector<engine::FindingRecord>& of_incident) {
    constexpr std::array<std::string_view, 2> members{"findings", "reason"};
    engine::IncidentSplit split{own, {}, {}, caller.key_id};
    if (documents::read_object(place, body, members) == nullptr) return split;
    split.reason = read_reason(place, body);
    const auto* findings = documents::required(place, body, "findings");
    const auto list = place.member("findings");
    if (findings == nullptr || documents::read_list(list, *findings, 1, most_split_off) == nullptr) return split;
    for (std::size_t i = 0; i < findings->size(); ++i) {
        const auto id = read_finding(list.item(i), (*findings)[i], of_incident);
        if (id && std::ranges::find(split.findings, *id) == split.findings.end()) split.findings.push_back(*id);
    }
    const auto stays = [&](const engine::FindingRecord& finding) { return std::ranges::find(split.findings, finding.id) == split.findings.end(); };
    if (std::ranges::none_of(of_incident, stays)) list.fault(FaultCode::conflict, "at least one finding has to stay");
    return split;
}

engine::IncidentComment read_comment(const Place& place, const Value& body, IncidentNumber own, const Caller& caller) {
    constexpr std::array<std::string_view, 1> members{"text"};
    engine::IncidentComment comment{own, {}, caller.key_id};
    if (documents::read_object(place, body, members) == nullptr) return comment;
    const auto* text = documents::required(place, body, "text");
    if (text == nullptr) return comment;
    comment.text = documents::read_text(place.member("text"), *text, most_comment_bytes).value_or("");
    if (text->is_string() && text->get_ref<const std::string&>().find_first_not_of(" \t\r\n") == std::string::npos)
        place.member("text").fault(FaultCode::missing, "says something");
    return comment;
}

std::optional<http::Response> refuse_closed(const http::Request& request, const engine::IncidentRecord& incident) {
    if (incident.status != engine::IncidentStatus::closed) return std::nullopt;
    return http::problem(request, http::ProblemKind::conflict, "the incident is closed; reopen it first");
}

}  // namespace

http::Response merge_incident(const http::Request& request, const Caller& caller, ports::Services& services) {
    const auto asked = asked_of(request, caller, services);
    if (asked.refusal) return *asked.refusal;
    engine::Faults faults;
    const auto merge = read_merge(Place{faults}, asked.body, asked.incident.number, caller, services);
    if (!faults.empty() && !caller.repeats()) return invalid_document(request, faults);
    if (auto refusal = refuse_closed(request, asked.incident); refusal && !caller.repeats()) return *refusal;
    const auto merged = services.control.merge(caller, merge);
    if (!merged) return failure_reply(request, merged.error());
    return incident_reply(request, caller, services, *merged, 200);
}

http::Response split_incident(const http::Request& request, const Caller& caller, ports::Services& services) {
    const auto asked = asked_of(request, caller, services);
    if (asked.refusal) return *asked.refusal;
    const auto findings = services.incidents.findings(caller, asked.incident.number);
    if (!findings) return failure_reply(request, findings.error());
    engine::Faults faults;
    const auto split = read_split(Place{faults}, asked.body, asked.incident.number, caller, *findings);
    if (!faults.empty() && !caller.repeats()) return invalid_document(request, faults);
    if (auto refusal = refuse_closed(request, asked.incident); refusal && !caller.repeats()) return *refusal;
    const auto made = services.control.split(caller, split);
    if (!made) return failure_reply(request, made.error());
    auto response = incident_reply(request, caller, services, *made, 201);
    response.headers.emplace_back("Location", fmt::format("/api/v1/incidents/{}", made->number.value()));
    return response;
}

http::Response comment_incident(const http::Request& request, const Caller& caller, ports::Services& services) {
    const auto asked = asked_of(request, caller, services);
    if (asked.refusal) return *asked.refusal;
    engine::Faults faults;
    const auto comment = read_comment(Place{faults}, asked.body, asked.incident.number, caller);
    if (!faults.empty()) return invalid_document(request, faults);
    const auto line = services.control.comment(caller, comment);
    if (!line) return failure_reply(request, line.error());
    return json_reply(201, json::comment_to_json(*line));
}

}  // namespace catenary::api::handlers
