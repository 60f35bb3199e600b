#pragma once

#include "api/http/problem.hpp"
#include "api/http/request.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace catenary::server::net {

/// A request head that can be read in one way only: what decides about framing and routing. Its other fields are for Beast to parse. Views into the
/// examined bytes.
struct RequestHead {
    api::http::Method method = api::http::Method::other;
    std::string_view target;        ///< origin form, "/path?query"
    std::uint64_t body_bytes = 0;   ///< Content-Length; 0 when absent
    bool closes = false;            ///< the client wants the connection closed after the reply, or speaks HTTP/1.0
    bool expects_continue = false;  ///< waits for 100 Continue before it sends the body
};

/// Why a head is refused. The connection is closed after the reply, since nobody can say where the next request begins.
struct GateRefusal {
    api::http::ProblemKind kind;
    std::string_view detail;  ///< of static storage, safe to show
};

struct GateLimits {
    std::size_t header_bytes = 16 * 1024;  ///< request line and fields with the empty line, inclusive
    std::size_t fields = 100;
    std::uint64_t body_bytes = 8 * 1024 * 1024;  ///< inclusive
    /// Paths that HTTP/1.0 probes may GET.
    std::span<const std::string_view> probes;
};

using GateVerdict = std::variant<RequestHead, GateRefusal>;

/// Decides on the raw bytes of a request head, from its first byte to the empty line (CR LF CR LF) inclusive, before any parser sees them: what it
/// lets through has one length and one meaning, and everything that intermediaries are known to read differently is refused.
GateVerdict examine(std::string_view header_block, const GateLimits& limits);

/// Equal but for the case of ASCII letters.
bool same_name(std::string_view left, std::string_view right);

}  // namespace catenary::server::net
