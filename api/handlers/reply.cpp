#include "api/handlers/reply.hpp"

#include "api/http/cursor.hpp"
#include "api/http/etag.hpp"

namespace catenary::api::handlers {

using Json = nlohmann::ordered_json;
using http::ProblemKind;

http::Response json_reply(int status, const Json& body) {
    http::Response response;
    response.status = status;
    response.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);  // stored text is UTF-8; a damaged row must not become a 500
    return response;
}

http::Response revised_reply(const http::Request& request, std::int64_t revision, const Json& body) {
    auto response = http::client_has(request.if_none_match, revision) ? http::Response{304, "", {}, ""} : json_reply(200, body);
    response.headers.emplace_back("ETag", http::etag_of(revision));
    return response;
}

http::Response failure_reply(const http::Request& request, const ports::Failure& failure) {
    switch (failure.code) {
        case ports::FailureCode::unavailable: return http::problem(request, ProblemKind::unavailable, failure.detail);
        case ports::FailureCode::outcome_unknown: return {0, "", {}, ""};
        case ports::FailureCode::conflict: return http::problem(request, ProblemKind::conflict, failure.detail);
        case ports::FailureCode::not_found: return http::problem(request, ProblemKind::not_found, failure.detail);
        case ports::FailureCode::stale: return http::problem(request, ProblemKind::precondition_failed, failure.detail);
        case ports::FailureCode::recorded: return json_reply(202, {{"status", "recorded"}, {"detail", failure.detail}});
        case ports::FailureCode::invalid:
            if (!failure.pointer.empty()) return invalid_document(request, {{engine::FaultCode::out_of_range, failure.pointer, failure.detail}});
            return http::problem(request, ProblemKind::invalid_document, failure.detail);
    }
    return http::problem(request, ProblemKind::internal, "");
}

http::Response not_found(const http::Request& request, std::string_view what) { return http::problem(request, ProblemKind::not_found, what); }

http::Response invalid_document(const http::Request& request, const engine::Faults& faults) {
    return http::problem(request, ProblemKind::invalid_document, "correct what `errors` lists and send it again; nothing was stored", faults);
}

std::optional<http::Response> refuse_parameters(const http::Request& request) { return http::QueryReader{request}.refusal(); }

ports::PageRequest page_request(http::QueryReader& query, const http::Request& request, const Caller& caller, const ports::Services& services) {
    ports::PageRequest page;
    page.limit = query.limit();
    auto position = http::open_cursor(services.cursor_key, request, caller, query.cursor());
    if (position) page.after = std::move(*position);
    else query.fault("cursor", position.error().code, position.error().detail);
    return page;
}

Json page_body(Json items, const std::optional<std::string>& next, const http::Request& request, const Caller& caller, const ports::Services& services) {
    Json body{{"items", std::move(items)}};
    body["next_cursor"] = next ? Json(http::seal_cursor(services.cursor_key, request, caller, *next)) : Json(nullptr);
    return body;
}

}  // namespace catenary::api::handlers
