#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace catenary::api::http {

enum class Method { get, post, put, patch, delete_, head, other };

/// A request as handlers see it: already framed, bounded and authenticated. The path is split first and decoded after,
/// so that ids may hold '/', ':' and '%'.
struct Request {
    Method method = Method::get;
    std::string target;                                      ///< as sent, for `instance` of a problem
    std::vector<std::string> segments;                       ///< decoded: {"api", "v1", "incidents", "17"}
    std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order; repeated names stay
    std::string content_type;                                ///< lower case, without parameters; "" when absent
    std::string content_encoding;                            ///< lower case; "" when absent
    std::string accept;                                      ///< as sent; "" when absent
    std::string if_match;
    std::string if_none_match;
    std::string idempotency_key;
    std::string body;
    std::string request_id;
    std::vector<std::pair<std::string, std::string>> hook_headers;  ///< of a hook, those that show whose it is; names in lower case
};

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;  ///< besides Content-Type, Content-Length, X-Request-Id, which the session writes
    std::string body;
};

}  // namespace catenary::api::http
