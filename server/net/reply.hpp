#pragma once

#include "api/http/request.hpp"

#include <string>
#include <string_view>

namespace catenary::server::net {

enum class AfterReply { keep_alive, close };

/// Status line and header fields of a reply, with the empty line. Content-Length is that of `response.body`, also when the request was HEAD.
/// A field of the handler's whose value holds a control byte is left out: it would end the field early.
std::string reply_head(const api::http::Response& response, std::string_view request_id, std::string_view date, AfterReply after);

/// The standard phrase, "Not Found".
std::string_view reason_phrase(int status);

/// 204 and 304 end with their head.
bool has_body(int status);

/// `Date` of a reply made now (RFC 9110 IMF-fixdate).
std::string http_date();

}  // namespace catenary::server::net
