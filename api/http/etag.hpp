#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::api::http {

/// The strong entity tag of a revision: "\"7\"".
std::string etag_of(std::int64_t revision);

/// If-Match as sent: "" or "*" set no condition. A list holds when one of its tags is the revision's; weak tags never do (RFC 9110 13.1.1).
bool if_match_holds(std::string_view if_match, std::int64_t revision);
/// If-None-Match: true when the client already has this revision (answer 304). Weak comparison (RFC 9110 13.1.2).
bool client_has(std::string_view if_none_match, std::int64_t revision);
/// The one revision an If-Match names, for stores that compare in SQL. Empty for "", "*", a list or a tag of another form.
std::optional<std::int64_t> revision_in(std::string_view if_match);

}  // namespace catenary::api::http
