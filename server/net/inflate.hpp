#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace catenary::server::net {

/// Whether a Content-Encoding says gzip.
inline bool is_gzip(std::string_view coding) { return coding == "gzip" || coding == "x-gzip"; }

enum class InflateEnd {
    complete,
    corrupt,    ///< no gzip, a wrong checksum, or bytes behind the end
    truncated,  ///< gzip that ends too early
    too_large,  ///< more than `most` bytes: stopped there
};

/// Unpacks gzip (RFC 1952; several members one after another count as one) into `into`, which has `padding` bytes of room behind its end afterwards.
/// Never holds more than `most` unpacked bytes (and what a growing string takes), whatever the packed ones promise.
InflateEnd inflate_gzip(std::string_view packed, std::string& into, std::size_t most, std::size_t padding);

}  // namespace catenary::server::net
