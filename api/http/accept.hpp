#pragma once

#include <string_view>

namespace catenary::api::http {

/// Whether an Accept header asks for application/yaml (or an older spelling of it) by name, and for JSON less. JSON in every other case: a header that
/// names neither is not worth a refusal.
bool prefers_yaml(std::string_view accept);

}  // namespace catenary::api::http
