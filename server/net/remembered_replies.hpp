#pragma once

#include "api/http/request.hpp"
#include "api/ports/ports.hpp"

#include <memory>
#include <string_view>

namespace catenary::server::net {

/// Replies to requests that came with an Idempotency-Key, kept so that the same request again gets the same reply instead of a second effect. What a request
/// writes and the record of its key are one transaction: after a crash either both are there or neither. Worker threads only: every call may block. A
/// key belongs to the API key it came with.
class RememberedReplies {
public:
    /// One run of a request with a key. What the request wrote and is not kept when this ends is taken back.
    class Effect : public api::EffectKey {
    public:
        /// The same request came at the same time and was faster: nothing of this run took effect, and its reply is not to be given.
        virtual bool overtaken() const = 0;
        /// Commits what the request wrote together with its reply. After `unavailable` nothing is changed; after `outcome_unknown` nobody knows yet, and the same
        /// request again finds out.
        virtual api::ports::Outcome<bool> keep(const api::http::Response& reply) = 0;
        /// The request was refused: takes back what it wrote; the corrected request may use the key.
        virtual void forget() = 0;
    };

    enum class State {
        run,            ///< the request is to be run, for its effect or, where its effect->written(), for its reply alone
        answered,       ///< `reply` is what it was answered
        other_request,  ///< the key was used for another method, path, type or body
        full,           ///< the tenant has too many remembered replies
    };
    struct Claim {
        State state = State::run;
        api::http::Response reply = {};
        std::unique_ptr<Effect> effect = nullptr;  ///< of State::run
    };

    virtual ~RememberedReplies() = default;
    /// What is known of the request's key. `bearer` seals the kept reply, which may hold a new secret.
    virtual api::ports::Outcome<Claim> claim(const api::http::Request& request, const api::Caller& caller, std::string_view bearer) = 0;
};

}  // namespace catenary::server::net
