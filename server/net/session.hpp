#pragma once

#include "server/net/connection.hpp"
#include "server/net/exchange.hpp"
#include "server/net/serving.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace catenary::server::net {

/// One client's connection: its requests one after another, pipelined or not.
///
///   waits ──head complete──▶ answers ──reply written──▶ waits          ends: refused head, Connection: close, deadline, stop, lost COMMIT
class Session : public std::enable_shared_from_this<Session> {
public:
    Session(asio::ip::tcp::socket socket, Serving& serving, Quota::Permit place);

    /// Until the connection ends. Spawned on the socket's strand by the listener, which keeps the session alive meanwhile.
    asio::awaitable<void> run();

    /// Any thread. Ends the connection now if no request is under way, else after its reply.
    void stop_when_idle();
    /// Any thread. Ends the connection without waiting for anything.
    void abandon();

private:
    enum class Next { request, end };
    asio::awaitable<Next> answer_next(Connection::ReadEnd read);
    struct Room {
        Quota::Permit share, all;
    };
    /// Room for the reply's bytes while it is sent.
    Room make_room(const Exchange& exchange, api::http::Response& response);
    asio::awaitable<Next> refuse(api::http::ProblemKind kind, std::string_view detail);
    asio::awaitable<Next> send(Answer answer, std::string_view request_id, ReplyPart part);
    void log_answer(const Exchange& exchange, int status, std::chrono::steady_clock::duration took) const;

    Serving& serving_;
    asio::any_io_executor strand_;
    std::shared_ptr<Connection> connection_;
    Quota::Permit place_;
};

}  // namespace catenary::server::net
