#pragma once

#include "api/documents/document.hpp"
#include "api/http/request.hpp"

#include <nlohmann/json.hpp>

#include <optional>

namespace catenary::api::handlers {

enum class BodySyntax { json_only, json_or_yaml };

/// A request's body as a value, or why it is none: 415 for another type, 413 beyond 256 KiB, 400 when it cannot be parsed, 422 when it breaks
/// a limit or repeats a name.
struct Body {
    nlohmann::json value;
    std::optional<http::Response> refusal;
};
Body read_body(const http::Request& request, BodySyntax accepted);

}  // namespace catenary::api::handlers
