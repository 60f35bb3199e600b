#pragma once

#include "engine/model/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace catenary::api::http {

/// Decodes %XX. Empty when a '%' is not followed by two hexadecimal digits, or when the result is no UTF-8 or holds a NUL.
std::optional<std::string> percent_decoded(std::string_view text);
/// Escapes all but RFC 3986 unreserved characters: for path segments and query values of links.
std::string percent_encoded(std::string_view text);

/// A request target taken apart: the path is split at '/' first and each segment decoded after, so that ids may hold '/', ':' and '%'.
struct Target {
    std::vector<std::string> segments;  ///< of "/a/b%2Fc": {"a", "b/c"}; of "/": none. Empty segments ("//", trailing "/") stay, so they match no route
    std::vector<std::pair<std::string, std::string>> query;  ///< in order; '+' is a plus sign in paths and a blank in queries; "a" and "a=" are both ("a", "")
};
/// Origin form only ("/…"). The fault says what is wrong with it: its form, an escape, its encoding, or more than 200 parameters.
engine::Result<Target> parse_target(std::string_view target);

}  // namespace catenary::api::http
