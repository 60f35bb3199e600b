#pragma once

#include "server/net/remembered_replies.hpp"

#include <functional>
#include <string_view>

namespace catenary::server::net {

/// Answers a request that has an Idempotency-Key: with `run` the first time, with the same reply (marked `Idempotency-Replayed: true`) when it comes again,
/// however the first time ended: a request that took effect and lost its reply is run for its reply alone. 422 for another request under the key. Only
/// success is remembered: what was refused changed nothing, so the corrected request may use the key again.
api::http::Response answer_once(RememberedReplies& replies, const api::http::Request& request, const api::Caller& caller, std::string_view bearer,
                                const std::function<api::http::Response(const api::Caller&)>& run);

}  // namespace catenary::server::net
