#pragma once

#include "api/ingest/prepared.hpp"

#include <string>
#include <string_view>

namespace catenary::api::ingest {

/// Appends bytes that are equal for two signals exactly when everything but (source, id) and the original spelling of entities is equal: digested,
/// they tell a duplicate from a conflict. Attributes and aliases compare as JSON values, so that the order of members, escapes in strings and the
/// spelling of numbers make no difference. The form is the same on every machine and may be stored as a digest.
void content_bytes(const PreparedSignal& signal, std::string& out);

/// Appends the one text of a JSON value among all that mean the same: members in byte order of their names, strings with the shortest escapes,
/// numbers as doubles in shortest form. `minified` is valid JSON without white space, at most 16 deep.
void canonical_json(std::string_view minified, std::string& out);

}  // namespace catenary::api::ingest
