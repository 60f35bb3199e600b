#include "api/http/problem.hpp"

#include <nlohmann/json.hpp>

namespace catenary::api::http {
namespace {

struct Row {
    int status;
    std::string_view word;
    std::string_view title;
};

Row row_of(ProblemKind kind) {
    switch (kind) {
        case ProblemKind::malformed_request: return {400, "malformed_request", "The request cannot be parsed"};
        case ProblemKind::unknown_parameter: return {400, "unknown_parameter", "A query parameter is unknown or has a bad value"};
        case ProblemKind::unauthenticated: return {401, "unauthenticated", "A valid API key is needed"};
        case ProblemKind::forbidden: return {403, "forbidden", "The key does not allow this"};
        case ProblemKind::not_found: return {404, "not_found", "There is nothing here"};
        case ProblemKind::method_not_allowed: return {405, "method_not_allowed", "The resource does not take this method"};
        case ProblemKind::conflict: return {409, "conflict", "Something else is already stored here"};
        case ProblemKind::precondition_failed: return {412, "precondition_failed", "The resource has changed meanwhile"};
        case ProblemKind::length_required: return {411, "length_required", "The body's length must be given"};
        case ProblemKind::too_large: return {413, "too_large", "The request is too large"};
        case ProblemKind::unsupported_media_type: return {415, "unsupported_media_type", "The body's type is not accepted here"};
        case ProblemKind::invalid_document: return {422, "invalid_document", "The document has faults"};
        case ProblemKind::timeout: return {408, "timeout", "The request came too slowly"};
        case ProblemKind::header_too_large: return {431, "header_too_large", "The header is too large"};
        case ProblemKind::too_many_requests: return {429, "too_many_requests", "The quota is used up"};
        case ProblemKind::internal: return {500, "internal", "The server failed"};
        case ProblemKind::unavailable: return {503, "unavailable", "The server cannot do this right now"};
    }
    return {500, "internal", "The server failed"};
}

}  // namespace

int status_of(ProblemKind kind) { return row_of(kind).status; }
std::string_view word_of(ProblemKind kind) { return row_of(kind).word; }
std::string_view title_of(ProblemKind kind) { return row_of(kind).title; }

Response problem(const Request& request, ProblemKind kind, std::string_view detail, const engine::Faults& errors) {
    const auto row = row_of(kind);
    nlohmann::ordered_json body{{"type", "urn:catenary:problem:" + std::string{row.word}},
                                {"title", row.title},
                                {"status", row.status},
                                {"detail", detail},
                                {"instance", request.target},
                                {"request_id", request.request_id}};
    if (!errors.empty()) {
        auto& list = body["errors"] = nlohmann::ordered_json::array();
        for (const auto& fault : errors) list.push_back({{"pointer", fault.pointer}, {"code", to_string(fault.code)}, {"detail", fault.detail}});
    }
    Response response;
    response.status = row.status;
    response.content_type = "application/problem+json";
    response.body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    if (row.status == 503 || row.status == 429) response.headers.emplace_back("Retry-After", "1");
    if (row.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"catenary\"");
    return response;
}

}  // namespace catenary::api::http
