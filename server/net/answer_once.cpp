#include "server/net/answer_once.hpp"

#include "api/handlers/reply.hpp"
#include "api/http/problem.hpp"

#include <optional>
#include <utility>

namespace catenary::server::net {
namespace {

using api::http::ProblemKind;
using api::http::Response;
using Claim = RememberedReplies::Claim;
using State = RememberedReplies::State;

/// Of requests that are faster than this one with the same key: each leaves its reply, or was refused.
constexpr int most_attempts = 3;
constexpr int accepted = 202;

Response known_reply(const api::http::Request& request, Claim& claim) {
    if (claim.state == State::other_request) {
        return api::http::problem(request, ProblemKind::invalid_document, "this Idempotency-Key came with another request within the last 24 h; use a new one");
    }
    if (claim.state == State::full) {
        return api::http::problem(request, ProblemKind::too_many_requests, "too many idempotency keys of the last 24 h are remembered for this tenant");
    }
    claim.reply.headers.emplace_back("Idempotency-Replayed", "true");
    return std::move(claim.reply);
}

/// Empty when another request of the key was faster.
std::optional<Response> run_once(RememberedReplies::Effect& effect, const api::http::Request& request, api::Caller caller,
                                 const std::function<Response(const api::Caller&)>& run) {
    caller.effect_key = &effect;
    auto reply = run(caller);
    if (effect.overtaken()) return std::nullopt;
    if (reply.status >= 400 && reply.status < 500) effect.forget();
    if (reply.status < 200 || reply.status >= 300) return reply;
    // Recorded and not yet in force: its entry is committed, and the next time the reply is the one that matters. Any other 202 stands for what is not committed yet.
    if (reply.status == accepted && effect.written()) return reply;
    const auto kept = effect.keep(reply);
    if (!kept) return api::handlers::failure_reply(request, kept.error());
    return reply;
}

}  // namespace

Response answer_once(RememberedReplies& replies, const api::http::Request& request, const api::Caller& caller, std::string_view bearer,
                     const std::function<Response(const api::Caller&)>& run) {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        auto claim = replies.claim(request, caller, bearer);
        if (!claim) return api::http::problem(request, ProblemKind::unavailable, "idempotency keys cannot be checked at the moment; nothing was changed");
        if ((*claim).state != State::run) return known_reply(request, *claim);
        if (auto reply = run_once(*(*claim).effect, request, caller, run)) return *std::move(reply);
    }
    return api::http::problem(request, ProblemKind::unavailable, "requests with this Idempotency-Key overtake each other; nothing was changed by this one");
}

}  // namespace catenary::server::net
