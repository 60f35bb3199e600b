#include "api/catalogue/examples.hpp"
#include "api/documents/members.hpp"
#include "api/handlers/body.hpp"
#include "api/handlers/pattern_in_path.hpp"
#include "api/handlers/patterns.hpp"
#include "api/handlers/reply.hpp"
#include "api/http/etag.hpp"
#include "api/http/target.hpp"
#include "api/json/pattern_json.hpp"
#include "api/json/time_json.hpp"
#include "api/ports/pattern_modes.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

namespace catenary::api::handlers {
namespace {

using documents::Place;
using engine::FaultCode;
using engine::Mode;
using http::ProblemKind;
using ports::PatternVersion;

constexpr std::array<std::string_view, 3> deployment_members{"mode", "version", "effective_from"};
constexpr std::array<std::string_view, 3> modes{"off", "flighting", "production"};

/// What posting, putting and validating start from.
struct Posted {
    std::optional<documents::PatternDocument> document;
    bool says_mode = false;
    std::optional<http::Response> refusal;
};

Posted read_pattern(const http::Request& request) {
    if (auto refusal = refuse_parameters(request)) return {std::nullopt, false, std::move(refusal)};
    auto body = read_body(request, BodySyntax::json_or_yaml);
    if (body.refusal) return {std::nullopt, false, std::move(body.refusal)};
    auto document = documents::pattern_from_json(body.value);
    if (!document) return {std::nullopt, false, invalid_document(request, document.faults)};
    if (const auto fault = id_fault(document->pattern.id, "/id")) return {std::nullopt, false, invalid_document(request, {*fault})};
    return {std::move(*document), body.value.contains("mode"), std::nullopt};
}

http::Response changed_reply(int status, const PatternVersion& version) {
    auto response = json_reply(status, json::to_json(version));
    response.headers.emplace_back("ETag", http::etag_of(version.revision));
    return response;
}

/// The pattern that a change is for, or why it is not changed: there is none, or the client has seen another revision.
struct Target {
    PatternVersion now;
    ports::PatternCondition condition;
    std::optional<http::Response> refusal;
};

Target target_of(const http::Request& request, const Caller& caller, ports::Services& services) {
    auto now = find_pattern(pattern_id(request), caller, services);
    if (!now) return {{}, {}, failure_reply(request, now.error())};
    if (!http::if_match_holds(request.if_match, now->revision)) {
        return {{}, {}, http::problem(request, ProblemKind::precondition_failed, fmt::format("the pattern is at revision {}", now->revision))};
    }
    ports::PatternCondition condition;
    if (!request.if_match.empty() && request.if_match != "*") condition.revision = now->revision;
    return {*std::move(now), condition, std::nullopt};
}

http::Response shipped_refusal(const http::Request& request, std::string_view what) {
    return http::problem(
        request, ProblemKind::conflict,
        fmt::format("this pattern ships with the program and cannot be {}; to end it, PUT {{\"mode\": \"off\"}} to /api/v1/patterns/{}/deployment", what,
                    http::percent_encoded(pattern_id(request))));
}

/// A deployment as asked for, with every fault.
struct Deployment {
    Mode mode = Mode::production;
    std::optional<std::int32_t> version;  ///< empty: the newest, or for `off` all
    std::optional<engine::Timestamp> effective_from;
};

Deployment read_deployment(const Place& place, const nlohmann::json& body) {
    Deployment wanted;
    if (documents::read_object(place, body, deployment_members) == nullptr) return wanted;
    if (const auto* mode = documents::required(place, body, "mode")) {
        const auto at = place.member("mode");
        if (const auto index = documents::read_word(at, *mode, modes)) wanted.mode = *documents::mode_from(modes[*index]);
    }
    if (const auto* version = documents::optional_member(body, "version")) {
        const auto number = documents::read_integer(place.member("version"), *version, 1, std::numeric_limits<std::int32_t>::max());
        if (number) wanted.version = static_cast<std::int32_t>(*number);
    }
    if (const auto* from = documents::optional_member(body, "effective_from")) {
        const auto at = place.member("effective_from");
        const auto text = documents::read_line(at, *from, 64);
        if (text) wanted.effective_from = json::parse_time(*text);
        if (text && !wanted.effective_from) at.fault(FaultCode::malformed, documents::in_quotes(*text) + " is no RFC 3339 time");
    }
    return wanted;
}

/// A time from which nothing would begin to hold is a mistake, not a detail.
void check_effective_from(const Place& place, Mode mode, const std::optional<engine::Timestamp>& from) {
    if (from && mode == Mode::off) place.member("effective_from").fault(FaultCode::conflict, "what is off finds nothing from any time on; leave it out");
}

/// What cannot be, seen from what runs now.
void check_deployment(const Place& place, const Deployment& wanted, const PatternVersion& now) {
    const auto version = wanted.version.value_or(now.version);
    if (version > now.version) {
        return place.member("version").fault(FaultCode::out_of_range, fmt::format("is {}, but the newest version is {}", version, now.version));
    }
    if (wanted.mode == Mode::flighting && now.production == version) {
        return place.member("mode").fault(
            FaultCode::conflict,
            fmt::format("version {} is in production; on trial beside it is another version: put one with \"mode\": \"flighting\", or name one by `version`",
                        version));
    }
    if (wanted.mode == Mode::off && wanted.version && now.production == version && now.flighting) {
        return place.member("version").fault(
            FaultCode::conflict, fmt::format("version {} is on trial beside it and cannot go on alone; leave `version` out to end both", *now.flighting));
    }
    const bool is_so = wanted.mode != Mode::off && ports::mode_of(now, version) == wanted.mode;
    if (is_so && wanted.effective_from) {
        place.member("effective_from")
            .fault(FaultCode::conflict, fmt::format("version {} is in that mode already; put a version to have it hold from another time", version));
    }
}

/// Whether nothing changes.
bool is_deployed(const Deployment& wanted, const PatternVersion& now) {
    if (wanted.mode == Mode::off && !wanted.version) return !now.production && !now.flighting;
    return ports::mode_of(now, wanted.version.value_or(now.version)) == wanted.mode;
}

nlohmann::ordered_json to_json(const catalogue::ExampleOutcome& outcome) {
    auto errors = nlohmann::ordered_json::array();
    for (const auto& fault : outcome.faults) errors.push_back({{"pointer", fault.pointer}, {"code", to_string(fault.code)}, {"detail", fault.detail}});
    return {{"list", outcome.must_match ? "must_match" : "must_not_match"},
            {"index", outcome.index},
            {"passed", outcome.passed},
            {"detail", outcome.detail},
            {"errors", std::move(errors)}};
}

}  // namespace

http::Response add_pattern(const http::Request& request, const Caller& caller, ports::Services& services) {
    const auto posted = read_pattern(request);
    if (posted.refusal) return *posted.refusal;
    const auto& pattern = posted.document->pattern;
    if (catalogue::find_shipped(pattern.id) != nullptr) {
        return http::problem(request, ProblemKind::conflict, "a pattern of this id ships with the program; choose another id");
    }
    engine::Faults faults;
    check_effective_from(Place{faults}, pattern.mode, posted.document->effective_from);
    if (!faults.empty()) return invalid_document(request, faults);
    PatternVersion wanted;
    wanted.id = pattern.id;
    wanted.mode = pattern.mode;
    wanted.document_json = documents::pattern_to_json(*posted.document).dump();
    const auto stored = services.patterns.add(caller, wanted, posted.document->effective_from);
    if (!stored) return failure_reply(request, stored.error());
    auto response = changed_reply(201, *stored);
    response.headers.emplace_back("Location", "/api/v1/patterns/" + http::percent_encoded(stored->id));
    return response;
}

http::Response replace_pattern(const http::Request& request, const Caller& caller, ports::Services& services) {
    const auto posted = read_pattern(request);
    if (posted.refusal) return *posted.refusal;
    auto target = target_of(request, caller, services);
    if (target.refusal) return *target.refusal;
    if (target.now.shipped) return shipped_refusal(request, "changed; post a copy under another id");
    const auto& pattern = posted.document->pattern;
    engine::Faults faults;
    const Place place{faults};
    if (pattern.id != target.now.id) {
        place.member("id").fault(FaultCode::conflict,
                                 fmt::format("is {}, but the path names {}", documents::in_quotes(pattern.id), documents::in_quotes(target.now.id)));
    }
    auto wanted = target.now;
    if (posted.says_mode) wanted.mode = pattern.mode;
    else if (target.now.mode == Mode::off && target.now.production) wanted.mode = Mode::production;  // an older version runs, and that is the one it replaces
    check_effective_from(place, wanted.mode, posted.document->effective_from);
    if (!faults.empty()) return invalid_document(request, faults);

    wanted.document_json = documents::pattern_to_json(*posted.document).dump();
    target.condition.effective_from = posted.document->effective_from;
    const bool is_as_it_is = wanted.document_json == target.now.document_json && wanted.mode == target.now.mode && !target.condition.effective_from;
    if (is_as_it_is) return changed_reply(200, target.now);
    const auto stored = services.patterns.replace(caller, wanted, target.condition);
    if (!stored) return failure_reply(request, stored.error());
    return changed_reply(200, *stored);
}

http::Response deploy_pattern(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto body = read_body(request, BodySyntax::json_or_yaml);
    if (body.refusal) return *body.refusal;
    engine::Faults faults;
    const Place place{faults};
    const auto deployment = read_deployment(place, body.value);
    check_effective_from(place, deployment.mode, deployment.effective_from);
    if (!faults.empty()) return invalid_document(request, faults);
    auto target = target_of(request, caller, services);
    if (target.refusal) return *target.refusal;
    check_deployment(place, deployment, target.now);
    if (!faults.empty()) return invalid_document(request, faults);
    if (is_deployed(deployment, target.now)) return changed_reply(200, target.now);

    auto wanted = target.now;
    wanted.version = deployment.version.value_or(target.now.version);
    wanted.mode = deployment.mode;
    target.condition.effective_from = deployment.effective_from;
    const bool ends_trial = deployment.mode == Mode::off && deployment.version && target.now.production && target.now.production != deployment.version;
    const auto deployed =
        ends_trial ? services.patterns.end_trial(caller, wanted.id, target.condition) : services.patterns.deploy(caller, wanted, target.condition);
    if (!deployed) return failure_reply(request, deployed.error());
    const auto* shipped = target.now.shipped ? catalogue::find_shipped(deployed->id) : nullptr;
    return changed_reply(200, shipped == nullptr ? *deployed : shipped_version(*shipped, &*deployed));
}

http::Response remove_pattern(const http::Request& request, const Caller& caller, ports::Services& services) {
    if (auto refusal = refuse_parameters(request)) return *refusal;
    const auto target = target_of(request, caller, services);
    if (target.refusal) return *target.refusal;
    if (target.now.shipped) return shipped_refusal(request, "deleted");
    if (catalogue::find_shipped(target.now.id) != nullptr) {
        return http::problem(
            request, ProblemKind::conflict,
            fmt::format("a pattern of this id ships with the program by now and would take the place of yours, which is older; to end yours, PUT "
                        "{{\"mode\": \"off\"}} to /api/v1/patterns/{}/deployment",
                        http::percent_encoded(target.now.id)));
    }
    const auto retired = services.patterns.retire(caller, target.now.id, target.condition);
    if (!retired) return failure_reply(request, retired.error());
    return {204, "", {}, ""};
}

http::Response validate_pattern(const http::Request& request, const Caller&, ports::Services&) {
    const auto posted = read_pattern(request);
    if (posted.refusal) return *posted.refusal;
    nlohmann::ordered_json body{{"valid", true}, {"document", documents::pattern_to_json(*posted.document)}};
    auto& examples = body["examples"] = nlohmann::ordered_json::array();
    for (const auto& outcome : catalogue::run_examples(*posted.document)) examples.push_back(to_json(outcome));
    return json_reply(200, body);
}

}  // namespace catenary::api::handlers
