#include "api/handlers/jobs.hpp"

#include "api/documents/members.hpp"
#include "api/documents/pattern_document.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/filters.hpp"
#include "api/handlers/pattern_in_path.hpp"
#include "api/handlers/reply.hpp"
#include "api/json/backtest_json.hpp"
#include "api/json/time_json.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

namespace catenary::api::handlers {
namespace {

using documents::Place;
using engine::FaultCode;
using ports::Outcome;
using ports::PatternVersion;

constexpr std::array<std::string_view, 4> members{"from", "to", "version", "document"};

/// What is asked for, as far as the body says it; every fault is collected.
struct Asked {
    std::optional<engine::Timestamp> from, to;
    std::optional<std::int32_t> version;
    std::optional<documents::PatternDocument> document;
};

std::optional<engine::Timestamp> read_time(const Place& place, const nlohmann::json& body, std::string_view name) {
    const auto* value = documents::required(place, body, name);
    if (value == nullptr) return std::nullopt;
    const auto at = place.member(name);
    const auto text = documents::read_line(at, *value, 64);
    if (!text) return std::nullopt;
    const auto time = json::parse_time(*text);
    if (!time) at.fault(FaultCode::malformed, documents::in_quotes(*text) + " is no RFC 3339 time");
    return time;
}

std::optional<documents::PatternDocument> read_pattern(const Place& place, const nlohmann::json& body, const std::string& id) {
    auto document = documents::pattern_from_json(body);
    for (const auto& fault : document.faults) place.below(fault.pointer).fault(fault.code, fault.detail);
    if (!document) return std::nullopt;
    if (document->pattern.id != id) {
        place.member("id").fault(FaultCode::conflict,
                                 fmt::format("is {}, but the path names {}", documents::in_quotes(document->pattern.id), documents::in_quotes(id)));
    }
    return std::move(*document);
}

Asked read_asked(const Place& place, const nlohmann::json& body, const std::string& id) {
    Asked asked;
    if (documents::read_object(place, body, members) == nullptr) return asked;
    asked.from = read_time(place, body, "from");
    asked.to = read_time(place, body, "to");
    if (asked.from && asked.to && *asked.to <= *asked.from) place.member("to").fault(FaultCode::out_of_range, "is not after `from`");
    const auto* version = documents::optional_member(body, "version");
    const auto* document = documents::optional_member(body, "document");
    if (version != nullptr) {
        const auto number = documents::read_integer(place.member("version"), *version, 1, std::numeric_limits<std::int32_t>::max());
        if (number) asked.version = static_cast<std::int32_t>(*number);
    }
    if (document != nullptr) asked.document = read_pattern(place.member("document"), *document, id);
    if (version != nullptr && document != nullptr) place.member("version").fault(FaultCode::conflict, "say either a stored version or a document");
    return asked;
}

/// The stored version that is asked for.
Outcome<PatternVersion> stored_version(const std::string& id, std::optional<std::int32_t> number, const Caller& caller, ports::Services& services) {
    if (!number) return find_pattern(id, caller, services);
    auto stored = services.patterns.version(caller, id, *number);
    if (stored || stored.error().code != ports::FailureCode::not_found) return stored;
    const auto* shipped = catalogue::find_shipped(id);
    if (shipped != nullptr && shipped->pattern->version == *number) return shipped_version(*shipped, nullptr);
    return ports::Failure{ports::FailureCode::not_found, "there is no such version of this pattern"};
}

Outcome<ports::BacktestRequest> backtest_of(const Asked& asked, const std::string& id, const Caller& caller, ports::Services& services) {
    ports::BacktestRequest wanted;
    wanted.pattern = id;
    wanted.from = *asked.from;
    wanted.to = *asked.to;
    const auto stored = stored_version(id, asked.version, caller, services);
    if (asked.document) {
        if (!stored && stored.error().code != ports::FailureCode::not_found) return stored.error();
        wanted.version = stored ? stored->version + 1 : 1;
        wanted.is_inline = true;
        wanted.document_json = documents::pattern_to_json(*asked.document).dump();
        return wanted;
    }
    if (!stored) return stored.error();
    wanted.version = stored->version;
    wanted.document_json = stored->document_json;
    return wanted;
}

http::Response job_reply(int status, const ports::Job& job) { return json_reply(status, json::to_json(job, json::WithResult::yes)); }

constexpr std::string_view no_job = "there is no job of this id; jobs that have ended are kept for seven days";

}  // namespace

http::Response backtest_pattern(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto body = read_body(request, BodySyntax::json_or_yaml);
    if (body.refusal) return *body.refusal;
    engine::Faults faults;
    const auto asked = read_asked(Place{faults}, body.value, pattern_id(request));
    if (!faults.empty()) return invalid_document(request, faults);
    const auto wanted = backtest_of(asked, pattern_id(request), caller, services);
    if (!wanted) return failure_reply(request, wanted.error());
    const auto job = services.jobs.add(caller, *wanted);
    if (!job) return failure_reply(request, job.error());
    auto response = job_reply(202, *job);
    response.headers.emplace_back("Location", "/api/v1/jobs/" + job->id);
    return response;
}

http::Response list_jobs(const http::Request& request, const Caller& caller, ports::Services& services) {
    http::QueryReader query{request};
    const auto wanted = page_request(query, request, caller, services);
    if (auto refusal = query.refusal()) return *refusal;
    const auto page = services.jobs.page(caller, wanted);
    if (!page) return failure_reply(request, page.error());
    return page_reply(*page, request, caller, services, [](const auto& job) { return json::to_json(job, json::WithResult::no); });
}

http::Response get_job(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto& id = request.segments.back();
    if (!finding_id(id)) return not_found(request, no_job);
    const auto job = services.jobs.find(caller, id);
    if (!job) return failure_reply(request, job.error());
    return job_reply(200, *job);
}

http::Response cancel_job(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto& id = request.segments.back();
    if (!finding_id(id)) return not_found(request, no_job);
    const auto job = services.jobs.cancel(caller, id);
    if (!job) return failure_reply(request, job.error());
    return job_reply(200, *job);
}

}  // namespace catenary::api::handlers
