#include "server/net/listener.hpp"

#include "api/http/problem.hpp"
#include "server/net/reply.hpp"
#include "server/net/session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>

namespace catenary::server::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// When no descriptor or memory is left, accepting again at once would only spin.
constexpr std::chrono::milliseconds pause_after_error{100};

/// For the log: what ended a coroutine. Nothing is expected to.
std::string text_of(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "not a standard exception";
    }
}

}  // namespace

Listener::Listener(asio::io_context& io, const tcp::endpoint& where, Serving& serving, SessionRegistry& sessions)
    : io_{io}, acceptor_{asio::make_strand(io)}, serving_{serving}, sessions_{sessions} {
    acceptor_.open(where.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address{true});
    acceptor_.bind(where);
    acceptor_.listen(tcp::acceptor::max_listen_connections);
    where_ = acceptor_.local_endpoint();
}

void Listener::start() {
    const auto log_end = [this, self = shared_from_this()](const std::exception_ptr& failure) {
        if (failure) serving_.log.event(observe::Level::error, "listener_ended", {{"what", std::string_view{text_of(failure)}}});
    };
    asio::co_spawn(acceptor_.get_executor(), accept_all(), log_end);
}

void Listener::stop() {
    asio::post(acceptor_.get_executor(), [self = shared_from_this()] {
        boost::system::error_code ignored;
        self->acceptor_.close(ignored);
    });
}

asio::awaitable<void> Listener::accept_all() {
    asio::steady_timer pause{acceptor_.get_executor()};
    while (acceptor_.is_open()) {
        auto strand = asio::any_io_executor{asio::make_strand(io_)};
        tcp::socket socket{strand};
        const auto [error] = co_await acceptor_.async_accept(socket, asio::as_tuple(asio::use_awaitable));
        if (error == asio::error::operation_aborted || !acceptor_.is_open()) break;
        if (error) {
            serving_.log.event(observe::Level::warning, "accept_failed", {{"what", std::string_view{error.message()}}});
            pause.expires_after(pause_after_error);
            co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
            continue;
        }
        take(std::move(socket));
    }
}

void Listener::take(tcp::socket socket) {
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay{true}, ignored);  // replies are written whole
    auto place = serving_.connections.take(1);
    if (!place) return turn_away(std::move(socket));
    const auto strand = socket.get_executor();
    const auto session = std::make_shared<Session>(std::move(socket), serving_, *std::move(place));
    sessions_.add(session);
    const auto ended = [this, self = shared_from_this(), session](const std::exception_ptr& failure) {
        if (failure) serving_.log.event(observe::Level::error, "session_ended", {{"what", std::string_view{text_of(failure)}}});
        sessions_.remove(session.get());
    };
    asio::co_spawn(strand, session->run(), ended);
}

void Listener::turn_away(tcp::socket socket) {
    api::http::Request nobodys;
    nobodys.request_id = serving_.ids.choose({});
    const auto reply =
        make_reply(api::http::problem(nobodys, api::http::ProblemKind::unavailable, "too many connections"), nobodys.request_id, AfterReply::close);
    write_at_once(socket, reply);  // a fresh socket's buffer takes this whole; nothing waits for a client that has no place here
    boost::system::error_code ignored;
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace catenary::server::net
