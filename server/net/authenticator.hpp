#pragma once

#include "api/ports/caller.hpp"
#include "api/ports/ports.hpp"

#include <optional>
#include <string_view>

namespace catenary::server::net {

/// Who stands behind a bearer token. Asked from headers alone, before a request's body is read; both functions may be called from any thread at once.
class Authenticator {
public:
    virtual ~Authenticator() = default;
    /// Answers from memory without blocking (I/O threads call it): the caller when this token was recently found valid; empty when that is not
    /// known, which says nothing about the token.
    virtual std::optional<api::Caller> cached(std::string_view bearer) = 0;
    /// Looks the token up; may block, so only worker threads call it. Empty: malformed, unknown, expired or withdrawn (401). A failure other
    /// than that means the keys cannot be read now (503), never that the token is bad.
    virtual api::ports::Outcome<std::optional<api::Caller>> authenticate(std::string_view bearer) = 0;
};

}  // namespace catenary::server::net
