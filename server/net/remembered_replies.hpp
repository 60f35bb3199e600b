#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

#include <string_view>

namespace catenary::server::net {

/// Replies to requests that came with an Idempotency-Key, kept so that the same request again gets the same reply instead of a second effect. Worker threads
/// only: every call may block. A key belongs to the API key it came with.
class RememberedReplies {
public:
    enum class State {
        ours,           ///< first time: run the request, then keep() or forget()
        answered,       ///< `reply` is what it was answered
        other_request,  ///< the key was used for another method, path, type or body
        unfinished,     ///< the same request is being answered, or its outcome was never learnt
        full,           ///< the tenant has too many remembered replies
    };
    struct Claim {
        State state = State::ours;
        api::http::Response reply;
    };

    virtual ~RememberedReplies() = default;
    /// Takes the request's idempotency key for it. `bearer` seals the kept reply, which may hold a new secret.
    virtual api::ports::Outcome<Claim> claim(const api::http::Request& request, const api::Caller& caller, std::string_view bearer) = 0;
    /// The claimed request was answered so. When this cannot be written the key stays `unfinished`.
    virtual void keep(const api::http::Request& request, const api::Caller& caller, std::string_view bearer, const api::http::Response& reply) = 0;
    /// The claimed request changed nothing: the key is free again.
    virtual void forget(const api::http::Request& request, const api::Caller& caller) = 0;
};

}  // namespace catenary::server::net
