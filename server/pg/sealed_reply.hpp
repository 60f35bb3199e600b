#pragma once

#include "api/http/request.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace catenary::server::pg {

/// The reply as bytes that only the same secret opens (XSalsa20-Poly1305 under a key derived from it), different each time.
std::string seal_reply(const api::http::Response& reply, std::string_view secret);
/// Empty when the bytes were altered or sealed with another secret.
std::optional<api::http::Response> open_reply(std::string_view sealed, std::string_view secret);

}  // namespace catenary::server::pg
