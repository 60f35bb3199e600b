#pragma once

#include "api/documents/parsed.hpp"
#include "api/documents/yaml.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string_view>

namespace catenary::api::documents {

enum class Syntax { json, yaml };

/// By content type: application/json (or none), application/yaml and its older spellings. Empty: neither.
std::optional<Syntax> syntax_of(std::string_view content_type);

/// A control document of either syntax as one neutral JSON value, within the same limits whatever the syntax.
Parsed<nlohmann::json> read_document(std::string_view body, Syntax syntax, const DocumentLimits& limits = {});

}  // namespace catenary::api::documents
