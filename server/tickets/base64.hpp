#pragma once

#include <string>
#include <string_view>

namespace catenary::server::tickets {

/// With padding (RFC 4648, 4).
std::string base64(std::string_view bytes);

}  // namespace catenary::server::tickets
