#pragma once

#include "server/net/serving.hpp"
#include "server/net/session_registry.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace catenary::server::net {

/// Accepts connections and gives each a session on a strand of its own.
class Listener : public std::enable_shared_from_this<Listener> {
public:
    /// Throws boost::system::system_error when the address cannot be bound.
    Listener(boost::asio::io_context& io, const boost::asio::ip::tcp::endpoint& where, Serving& serving, SessionRegistry& sessions);

    /// Starts to accept.
    void start();
    /// Any thread. Closes the port; connections that exist stay.
    void stop();
    boost::asio::ip::tcp::endpoint where() const { return where_; }  ///< with the port the system chose for port 0

private:
    boost::asio::awaitable<void> accept_all();
    void take(boost::asio::ip::tcp::socket socket);
    void turn_away(boost::asio::ip::tcp::socket socket);

    boost::asio::io_context& io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::ip::tcp::endpoint where_;
    Serving& serving_;
    SessionRegistry& sessions_;
};

}  // namespace catenary::server::net
