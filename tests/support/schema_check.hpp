#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace catenary::tests {

/// The contract that the program embeds.
const nlohmann::json& contract();

/// Follows {"$ref": "#/a/b"} to what it names.
const nlohmann::json& resolved(const nlohmann::json& value);

/// The part of JSON Schema that openapi.yaml uses: type, enum, required, properties, additionalProperties, items, minItems, maxItems, minimum,
/// maximum, minLength, maxLength, minProperties, maxProperties, oneOf, $ref, and the formats date-time and uuid. A keyword that it does not know is a
/// violation too, so that none is believed to be checked that is not. Returns one sentence a violation, each with the place in `value`.
std::vector<std::string> schema_violations(const nlohmann::json& value, const nlohmann::json& schema);

/// The schema that the contract gives for a reply, or a null value when it knows no such operation, status or media type. `path` as in the contract.
nlohmann::json reply_schema(std::string_view path, std::string_view method, int status, std::string_view content_type);

/// Whether the contract knows the reply at all: by its status, or by `default` for problems.
bool contract_knows_status(std::string_view path, std::string_view method, int status);

}  // namespace catenary::tests
