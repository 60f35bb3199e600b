#include "server/net/session.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <chrono>
#include <variant>

namespace catenary::server::net {
namespace {

using api::http::ProblemKind;

constexpr std::array<std::string_view, 4> probe_paths{"/healthz", "/readyz", "/metrics", "/version"};

GateLimits gate_limits(const HttpLimits& limits) {
    GateLimits gate;
    gate.header_bytes = limits.header_bytes;
    gate.body_bytes = limits.batch_bytes;
    gate.probes = probe_paths;
    return gate;
}

}  // namespace

Session::Session(asio::ip::tcp::socket socket, Serving& serving, Quota::Permit place)
    : serving_{serving},
      strand_{socket.get_executor()},
      connection_{std::make_shared<Connection>(std::move(socket), serving.limits)},
      place_{std::move(place)} {}

asio::awaitable<void> Session::run() {
    auto patience = serving_.limits.header;  // a client that connects has something to say
    while (!serving_.stopping) {
        const auto read = co_await connection_->read_head(patience);
        if (read == Connection::ReadEnd::closed) break;
        const auto next = co_await answer_next(read);
        if (next == Next::end) break;
        patience = serving_.limits.idle;
    }
    connection_->close();
}

asio::awaitable<Session::Next> Session::answer_next(Connection::ReadEnd read) {
    const auto began = std::chrono::steady_clock::now();
    if (read == Connection::ReadEnd::timed_out) co_return co_await refuse(ProblemKind::timeout, "the request head came too slowly");
    if (read == Connection::ReadEnd::too_large) co_return co_await refuse(ProblemKind::header_too_large, "the request head is larger than allowed");
    const auto verdict = examine(connection_->head(), gate_limits(serving_.limits));
    if (const auto* refusal = std::get_if<GateRefusal>(&verdict)) co_return co_await refuse(refusal->kind, refusal->detail);
    const auto& head = std::get<RequestHead>(verdict);
    // The two parsers read the same bytes: where they differ, one of them is wrong about where the next request begins.
    if (!connection_->accept_head(head.body_bytes)) co_return co_await refuse(ProblemKind::malformed_request, "the request head is malformed");
    const auto part = head.method == api::http::Method::head ? ReplyPart::head : ReplyPart::whole;
    Exchange exchange{serving_, *connection_, head};
    auto answering = exchange.answer();
    auto answer = co_await std::move(answering);
    exchange.release();
    const auto room = make_room(exchange, answer.response);
    const auto status = answer.response.status;
    if (status == 0) {
        serving_.counters.dropped();
        log_answer(exchange, status, std::chrono::steady_clock::now() - began);
        co_return Next::end;
    }
    auto sending = send(std::move(answer), exchange.request().request_id, part);
    const auto next = co_await std::move(sending);
    const auto took = std::chrono::steady_clock::now() - began;
    serving_.counters.answered(exchange.kind(), status, took);
    log_answer(exchange, status, took);
    co_return next;
}

/// A reply that finds no room is not sent: one that only shows something is a 503, of any other nothing is known.
Session::Room Session::make_room(const Exchange& exchange, api::http::Response& response) {
    constexpr std::size_t small = 16 * 1024;  // the connections bound these
    if (response.body.size() <= small) return {};
    const auto bytes = static_cast<std::int64_t>(response.body.size());
    const auto& caller = exchange.caller();
    auto share = caller ? serving_.tenant_reply_bytes.of(caller->tenant).take_or_alone(bytes) : Quota::Permit{};
    auto all = share ? serving_.reply_bytes.take_or_alone(bytes) : std::nullopt;
    if (all) return {*std::move(share), *std::move(all)};
    if (caller) serving_.busy.add(caller->tenant);
    const auto method = exchange.request().method;
    const bool only_shows = method == api::http::Method::get || method == api::http::Method::head;
    if (only_shows) response = api::http::problem(exchange.request(), ProblemKind::unavailable, "too many bytes of replies are being sent");
    else response.status = 0;
    return {};
}

asio::awaitable<Session::Next> Session::refuse(ProblemKind kind, std::string_view detail) {
    api::http::Request nobodys;  // the head cannot be trusted, so nothing of it is repeated
    nobodys.request_id = serving_.ids.choose({});
    Answer answer{api::http::problem(nobodys, kind, detail), AfterReply::close};
    const auto status = answer.response.status;
    serving_.counters.answered(HttpCounters::Kind::other, status, {});
    serving_.log.event(observe::Level::debug, "head_refused",
                       {{"request_id", std::string_view{nobodys.request_id}}, {"status", std::int64_t{status}}, {"what", detail}});
    auto sending = send(std::move(answer), nobodys.request_id, ReplyPart::whole);
    co_return co_await std::move(sending);
}

asio::awaitable<Session::Next> Session::send(Answer answer, std::string_view request_id, ReplyPart part) {
    const auto after = serving_.stopping ? AfterReply::close : answer.after;
    const auto reply = make_reply(std::move(answer.response), request_id, after);
    const bool sent = co_await connection_->write(reply, part);
    if (sent && after == AfterReply::close) co_await connection_->finish();
    co_return sent&& after == AfterReply::keep_alive ? Next::request : Next::end;
}

void Session::log_answer(const Exchange& exchange, int status, std::chrono::steady_clock::duration took) const {
    const auto level = status == 0 ? observe::Level::warning : observe::Level::debug;
    if (!serving_.log.writes(level)) return;
    serving_.log.event(level, status == 0 ? "closed_without_reply" : "request",
                       {{"request_id", std::string_view{exchange.request().request_id}},
                        {"tenant", exchange.tenant()},
                        {"target", std::string_view{exchange.request().target}},
                        {"status", std::int64_t{status}},
                        {"body_bytes", static_cast<std::int64_t>(exchange.body_bytes())},
                        {"micros", std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(took).count()}}});
}

void Session::stop_when_idle() {
    asio::post(strand_, [self = shared_from_this()] {
        if (self->connection_->waits_for_request()) self->connection_->close();
    });
}

void Session::abandon() {
    asio::post(strand_, [self = shared_from_this()] { self->connection_->close(); });
}

}  // namespace catenary::server::net
