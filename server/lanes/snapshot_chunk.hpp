#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::server {

/// The most bytes of a state that are packed and stored as one.
inline constexpr std::size_t most_chunk_bytes = 16U << 20U;

/// At most `most_chunk_bytes`, packed: the fastest way, since states pack to less than half in any.
std::string packed_chunk(std::string_view bytes);
/// Empty when it is not the packed form of exactly `bytes` bytes.
std::optional<std::string> unpacked_chunk(std::string_view packed, std::size_t bytes);

}  // namespace catenary::server
