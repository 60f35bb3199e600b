#include "server/net/answer_once.hpp"

#include "api/http/problem.hpp"

#include <utility>

namespace catenary::server::net {

using api::http::ProblemKind;
using api::http::Response;
using State = RememberedReplies::State;

Response answer_once(RememberedReplies& replies, const api::http::Request& request, const api::Caller& caller, std::string_view bearer,
                     const std::function<Response()>& run) {
    auto claim = replies.claim(request, caller, bearer);
    if (!claim) return api::http::problem(request, ProblemKind::unavailable, "idempotency keys cannot be checked at the moment; nothing was changed");
    switch ((*claim).state) {
        case State::ours: break;
        case State::answered: {
            auto reply = std::move((*claim).reply);
            reply.headers.emplace_back("Idempotency-Replayed", "true");
            return reply;
        }
        case State::other_request:
            return api::http::problem(request, ProblemKind::invalid_document,
                                      "this Idempotency-Key came with another request within the last 24 h; use a new one");
        case State::unfinished:
            return api::http::problem(request, ProblemKind::conflict,
                                      "the first request with this Idempotency-Key is being answered, or its outcome is unknown: try again, or look whether "
                                      "what it makes exists");
        case State::full:
            return api::http::problem(request, ProblemKind::too_many_requests, "too many idempotency keys of the last 24 h are remembered for this tenant");
    }
    auto reply = run();
    const bool succeeded = reply.status >= 200 && reply.status < 300;
    const bool is_open = reply.status == 0 || reply.status == 500;  // nobody knows whether it took effect
    if (succeeded) replies.keep(request, caller, bearer, reply);
    if (!succeeded && !is_open) replies.forget(request, caller);
    return reply;
}

}  // namespace catenary::server::net
