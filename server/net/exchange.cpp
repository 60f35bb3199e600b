#include "server/net/exchange.hpp"

#include "api/http/query.hpp"
#include "api/http/target.hpp"
#include "api/routes.hpp"
#include "api/tickets/hook.hpp"
#include "server/net/answer_once.hpp"
#include "server/net/inflate.hpp"
#include "server/net/run_blocking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>

namespace catenary::server::net {
namespace {

using api::http::Method;
using api::http::ProblemKind;
using api::http::Response;
using boost::beast::http::field;

/// A refused body up to this size is read and dropped, so that the connection can go on.
constexpr std::uint64_t most_skipped = 64 * 1024;
constexpr std::size_t longest_bearer = 512;
constexpr std::size_t longest_idempotency_key = 255;

std::string lower_case(std::string_view text) {
    std::string lowered{text};
    for (char& c : lowered) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return lowered;
}

/// "Application/JSON; charset=utf-8" -> "application/json".
std::string media_type(std::string_view value) {
    value = value.substr(0, value.find(';'));
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    return lower_case(value);
}

std::string bearer_of(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    if (authorization.size() <= scheme.size() || !same_name(authorization.substr(0, scheme.size()), scheme)) return {};
    authorization.remove_prefix(authorization.find_first_not_of(' ', scheme.size()));
    return authorization.size() > longest_bearer ? std::string{} : std::string{authorization};
}

std::string_view word_of(Method method) {
    switch (method) {
        case Method::get: return "GET";
        case Method::post: return "POST";
        case Method::put: return "PUT";
        case Method::patch: return "PATCH";
        case Method::delete_: return "DELETE";
        case Method::head: return "HEAD";
        case Method::other: break;
    }
    return "other";
}

}  // namespace

Exchange::Exchange(Serving& serving, Connection& connection, const RequestHead& head)
    : serving_{serving},
      connection_{connection},
      body_bytes_{head.body_bytes},
      expects_continue_{head.expects_continue},
      after_{head.closes ? AfterReply::close : AfterReply::keep_alive},
      routed_method_{head.method == Method::head ? Method::get : head.method} {
    const auto& fields = connection.fields();
    bearer_ = bearer_of(fields[field::authorization]);
    request_.method = head.method;
    request_.target = fields.target();
    request_.content_type = media_type(fields[field::content_type]);
    request_.content_encoding = lower_case(fields[field::content_encoding]);
    request_.accept = fields[field::accept];
    request_.if_match = fields[field::if_match];
    request_.if_none_match = fields[field::if_none_match];
    request_.idempotency_key = fields["Idempotency-Key"];
    has_idempotency_key_ = fields.count("Idempotency-Key") > 0;  // the gate lets no second one through
    request_.request_id = serving.ids.choose(fields["X-Request-Id"]);
}

Response Exchange::problem(ProblemKind kind, std::string_view detail) const { return api::http::problem(request_, kind, detail); }

Response Exchange::failed(std::string_view what) const {
    serving_.log.event(
        observe::Level::error, "request_failed",
        {{"request_id", std::string_view{request_.request_id}}, {"tenant", tenant()}, {"target", std::string_view{request_.target}}, {"what", what}});
    return problem(ProblemKind::internal, "an unexpected failure; the server's log has more under this request id");
}

void Exchange::release() {
    request_.body = std::string{};
    request_permit_.release();
    share_permit_.release();
    bytes_permit_.release();
    unpacked_permit_.release();
}

asio::awaitable<Answer> Exchange::answer() {
    auto refusal = find_route();
    if (!refusal) refusal = check_body();
    if (!refusal) refusal = check_idempotency_key();
    if (!refusal) refusal = take_place();
    if (!refusal && route_->scope != api::Scope::none) {
        auto pending = find_caller();
        refusal = co_await std::move(pending);
    }
    if (!refusal && is_ingest_) refusal = admit_signals();
    if (refusal) {
        auto pending = refuse(*std::move(refusal));
        co_return co_await std::move(pending);
    }
    if (body_bytes_ > 0) {
        request_permit_.release();  // a body that comes slowly takes nobody's place
        auto reading = read_body();
        auto interrupted = co_await std::move(reading);
        if (interrupted) co_return *std::move(interrupted);
        if (auto late_refusal = take_permit()) {  // a stop finishes what has come so far
            if (caller_) serving_.busy.add(caller_->tenant);
            Answer refused{*std::move(late_refusal), after_};
            co_return refused;
        }
    }
    auto handling = handle();
    auto response = co_await std::move(handling);
    const auto after = response.status == 0 ? AfterReply::close : after_;
    Answer made{std::move(response), after};
    co_return made;
}

Exchange::Refusal Exchange::find_route() {
    auto target = api::http::parse_target(request_.target);
    if (!target) return problem(ProblemKind::malformed_request, target.error().detail);
    request_.segments = std::move(target->segments);
    request_.query = std::move(target->query);
    auto match = serving_.endpoints.find_route(routed_method_, request_.segments);
    route_ = match.route;
    if (route_ != nullptr) {
        is_ingest_ = route_->handler == nullptr && route_->path != metrics_path;
        if (route_->path == api::hooks_path) keep_hook_headers();
        return {};
    }
    if (match.allowed.empty()) return problem(ProblemKind::not_found, "no such path");
    std::string allowed;
    for (const auto method : match.allowed) {
        if (!allowed.empty()) allowed += ", ";
        allowed += word_of(method);
        if (method == Method::get) allowed += ", HEAD";
    }
    auto refusal = problem(ProblemKind::method_not_allowed, "this path takes " + allowed);
    refusal.headers.emplace_back("Allow", std::move(allowed));
    return refusal;
}

void Exchange::keep_hook_headers() {
    for (const auto name : api::tickets::hook_headers) {
        const auto& fields = connection_.fields();
        const auto found = fields.find(boost::beast::string_view{name.data(), name.size()});
        if (found != fields.end()) request_.hook_headers.emplace_back(name, found->value());
    }
}

Exchange::Refusal Exchange::check_body() const {
    const auto most = is_ingest_ ? serving_.limits.batch_bytes : serving_.limits.document_bytes;
    if (body_bytes_ > most) return problem(ProblemKind::too_large, fmt::format("a body of {} bytes; at most {} are accepted here", body_bytes_, most));
    if (body_bytes_ > 0 && routed_method_ == Method::delete_) {  // the gate lets no GET through with one
        return problem(ProblemKind::malformed_request, "DELETE takes no body: the path says what is removed");
    }
    const auto& coding = request_.content_encoding;
    if (body_bytes_ == 0 || coding.empty() || coding == "identity" || (is_ingest_ && is_gzip(coding))) return {};
    auto refusal = problem(ProblemKind::unsupported_media_type, is_ingest_ ? "accepted is Content-Encoding: gzip" : "send the body without Content-Encoding");
    refusal.headers.emplace_back("Accept-Encoding", is_ingest_ ? "gzip" : "identity");
    return refusal;
}

Exchange::Refusal Exchange::check_idempotency_key() const {
    const auto& key = request_.idempotency_key;
    if (!has_idempotency_key_) return {};
    if (is_ingest_) return problem(ProblemKind::malformed_request, "signals are known by source and id: send them without Idempotency-Key");
    if (request_.method != Method::post || route_->handler == nullptr || route_->scope == api::Scope::none) {
        return problem(ProblemKind::malformed_request, "only POST takes an Idempotency-Key");
    }
    const bool is_visible = std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    // Whoever sends one counts on it, and an empty one is no key.
    if (!key.empty() && key.size() <= longest_idempotency_key && is_visible) return {};
    return problem(ProblemKind::malformed_request, fmt::format("an Idempotency-Key has 1 to {} visible ASCII characters", longest_idempotency_key));
}

Exchange::Refusal Exchange::take_place() {
    if (serving_.stopping) return problem(ProblemKind::unavailable, "the server is stopping");
    // Probes and metrics must answer under overload as well.
    if (route_->scope == api::Scope::none && routed_method_ == Method::get) return {};
    return take_permit();
}

Exchange::Refusal Exchange::take_permit() {
    auto request = serving_.requests.take(1);
    if (!request) return problem(ProblemKind::unavailable, "too many requests are being answered");
    request_permit_ = *std::move(request);
    return {};
}

api::ports::Outcome<std::optional<api::Caller>> Exchange::authenticate() const {
    try {
        return serving_.endpoints.authenticator.authenticate(bearer_);
    } catch (const std::exception& failure) {
        serving_.log.event(observe::Level::error, "authentication_failed",
                           {{"request_id", std::string_view{request_.request_id}}, {"what", std::string_view{failure.what()}}});
        return api::ports::Failure{api::ports::FailureCode::unavailable, ""};
    }
}

asio::awaitable<Exchange::Refusal> Exchange::find_caller() {
    if (bearer_.empty()) co_return problem(ProblemKind::unauthenticated, "send 'Authorization: Bearer <key>'");
    caller_ = serving_.endpoints.authenticator.cached(bearer_);
    if (!caller_) {
        auto look_up = [this] { return authenticate(); };
        auto pending = run_blocking(serving_.workers, std::move(look_up));
        auto found = co_await std::move(pending);
        if (!found) co_return problem(ProblemKind::unavailable, "keys cannot be checked at the moment");
        caller_ = *std::move(found);
        if (!caller_) co_return problem(ProblemKind::unauthenticated, "the key is unknown, expired or withdrawn");
    }
    if (!caller_->may(route_->scope)) co_return problem(ProblemKind::forbidden, fmt::format("the key lacks the scope {}", to_string(route_->scope)));
    co_return std::nullopt;
}

asio::awaitable<Answer> Exchange::refuse(Response response) {
    request_permit_.release();
    auto after = after_;
    if (body_bytes_ > 0) {
        std::optional<Quota::Permit> room;
        if (!expects_continue_ && body_bytes_ <= most_skipped) room = serving_.skipped_bytes.take(static_cast<std::int64_t>(body_bytes_));
        auto end = Connection::ReadEnd::too_large;
        std::string dropped;
        if (room) end = co_await connection_.read_body(dropped);
        if (end != Connection::ReadEnd::complete) after = AfterReply::close;
    }
    Answer refused{std::move(response), after};
    co_return refused;
}

asio::awaitable<std::optional<Answer>> Exchange::read_body() {
    auto& quota = route_->scope == api::Scope::none ? serving_.keyless_bytes : serving_.in_flight_bytes;
    auto share = caller_ ? serving_.tenant_bytes.of(caller_->tenant).take(static_cast<std::int64_t>(body_bytes_)) : Quota::Permit{};
    auto bytes = share ? quota.take(static_cast<std::int64_t>(body_bytes_)) : std::nullopt;
    if (!bytes) {
        if (caller_) serving_.busy.add(caller_->tenant);
        auto pending = refuse(problem(ProblemKind::unavailable, "too many bytes are being received"));
        co_return co_await std::move(pending);
    }
    share_permit_ = *std::move(share);
    bytes_permit_ = *std::move(bytes);
    if (expects_continue_) {
        const auto interim = continue_reply();
        const bool sent = co_await connection_.write(interim, ReplyPart::whole);
        if (!sent) co_return Answer{Response{.status = 0, .headers = {}, .body = {}}, AfterReply::close};
    }
    const auto end = co_await connection_.read_body(request_.body);
    if (end == Connection::ReadEnd::complete) {
        serving_.counters.received(body_bytes_);
        co_return std::nullopt;
    }
    Answer interrupted{problem(ProblemKind::timeout, "the body came too slowly"), AfterReply::close};
    if (end == Connection::ReadEnd::closed) interrupted.response.status = 0;
    co_return interrupted;
}

asio::awaitable<Response> Exchange::handle() {
    if (is_ingest_) {
        auto pending = ingest();
        co_return co_await std::move(pending);
    }
    auto job = [this] { return run_handler(); };
    auto pending = run_blocking(serving_.workers, std::move(job));
    co_return co_await std::move(pending);
}

Response Exchange::run_handler() const {
    try {
        if (route_->handler == nullptr) return metrics();
        const auto caller = caller_ ? *caller_ : api::Caller{};
        const auto run = [&](const api::Caller& asking) { return route_->handler(request_, asking, serving_.endpoints.services); };
        return request_.idempotency_key.empty() ? run(caller) : answer_once(serving_.endpoints.replies, request_, caller, bearer_, run);
    } catch (const std::exception& failure) {
        return failed(failure.what());
    }
}

Response Exchange::metrics() const {
    if (auto refusal = api::http::QueryReader{request_}.refusal()) return *std::move(refusal);
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = serving_.counters.text() + serving_.endpoints.metrics();
    return response;
}

}  // namespace catenary::server::net
