#pragma once

#include "api/http/request.hpp"
#include "engine/model/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::api::http {

/// The kinds of problem this API answers (RFC 9457 `type` = "urn:catenary:problem:<word>"; stable). Each has one status and title.
enum class ProblemKind {
    malformed_request,       ///< 400: cannot be parsed; correct it
    unknown_parameter,       ///< 400: a query parameter nobody reads, or a bad value of one
    unauthenticated,         ///< 401 with WWW-Authenticate: send a valid key
    forbidden,               ///< 403: detail names the missing scope
    not_found,               ///< 404: no such route or resource
    method_not_allowed,      ///< 405 with Allow
    conflict,                ///< 409: the resource exists with other content
    precondition_failed,     ///< 412: If-Match names an old revision; read again
    length_required,         ///< 411
    too_large,               ///< 413: nothing was stored
    unsupported_media_type,  ///< 415: detail lists what is accepted
    invalid_document,        ///< 422: `errors` lists every fault
    timeout,                 ///< 408: header or body came too slowly
    header_too_large,        ///< 431
    too_many_requests,       ///< 429 with Retry-After: your quota
    internal,                ///< 500: our fault; the log has the request id
    unavailable,             ///< 503 with Retry-After: nothing was stored; try again
};

int status_of(ProblemKind kind);
std::string_view word_of(ProblemKind kind);
std::string_view title_of(ProblemKind kind);

/// An application/problem+json reply with `type title status detail instance request_id` and, where given, `errors: [{pointer, code, detail}]`.
/// 503 and 429 carry `Retry-After: 1` unless the caller adds another.
Response problem(const Request& request, ProblemKind kind, std::string_view detail, const engine::Faults& errors = {});

}  // namespace catenary::api::http
