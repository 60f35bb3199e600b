#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace catenary::server::pg {

using Sha256 = std::array<std::byte, 32>;
Sha256 sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);

}  // namespace catenary::server::pg
