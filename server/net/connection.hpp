#pragma once

#include "server/net/limits.hpp"
#include "server/net/padded_body.hpp"
#include "server/net/reply.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace catenary::server::net {

namespace asio = boost::asio;

using RequestFields = boost::beast::http::request_header<>;

/// The bytes of one client: finds the ends of heads for the gate to judge, has Beast parse what the gate let through and write replies, each within a
/// deadline. Everything runs on the socket's strand.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    enum class ReadEnd {
        complete,
        closed,     ///< the client went away, or we close: there is nobody to answer
        timed_out,  ///< part of it came, then too little for too long
        too_large,  ///< the head did not end within its limit
    };

    Connection(asio::ip::tcp::socket socket, const HttpLimits& limits);

    /// Reads up to the end of the next head. The first byte may take `patience`; silence until then is `closed`. A head that is plainly none
    /// (a line ended by a bare LF, a first byte that begins no method) is `complete` as far as it came, for the gate to refuse.
    asio::awaitable<ReadEnd> read_head(std::chrono::milliseconds patience);
    /// What read_head() read; valid until accept_head().
    std::string_view head() const { return {static_cast<const char*>(input_.data().data()), head_size_}; }
    /// Has Beast parse the head. False when it cannot, or frames the body otherwise than the gate did: then nobody can say where the next request begins.
    [[nodiscard]] bool accept_head(std::uint64_t body_bytes);
    /// The fields of the accepted head; valid until the next read_head().
    const RequestFields& fields() const { return parser_->get().base(); }
    /// Reads the body of the accepted head into `body`, with PaddedBody's room behind it.
    asio::awaitable<ReadEnd> read_body(std::string& body);
    /// False: the client went away or took too long to read.
    asio::awaitable<bool> write(const Reply& reply, ReplyPart part);
    /// Ends our side and drops what the client still sends for a moment: closing at once would make its kernel throw our reply away.
    asio::awaitable<void> finish();

    /// No byte of a next request has come.
    bool waits_for_request() const { return waits_; }
    void close();

private:
    asio::awaitable<std::size_t> read_some(asio::mutable_buffer into);
    bool find_head_end();
    void start_deadline(std::chrono::milliseconds from_now);
    void end_deadline() { timer_.expires_at(std::chrono::steady_clock::time_point::max()); }
    std::chrono::milliseconds time_for(std::chrono::milliseconds base, std::size_t bytes) const;

    asio::ip::tcp::socket socket_;
    asio::steady_timer timer_;
    const HttpLimits& limits_;
    boost::beast::flat_buffer input_;                                       // what was read and not yet used; a head starts at its beginning
    std::optional<boost::beast::http::request_parser<PaddedBody>> parser_;  // of the accepted head
    std::size_t head_size_ = 0;                                             // 0 until the head's end is found
    std::size_t scanned_ = 0;                                               // of the head, without its end
    bool timed_out_ = false;
    bool waits_ = false;
};

/// Writes as much of the reply as the socket takes at once, and waits for nothing.
void write_at_once(asio::ip::tcp::socket& socket, const Reply& reply);

}  // namespace catenary::server::net
