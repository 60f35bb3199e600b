#pragma once

#include "server/net/limits.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server::net {

namespace asio = boost::asio;

/// The bytes of one client: reads heads and bodies, writes replies, each within a deadline. Everything runs on the socket's strand.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    enum class ReadEnd {
        complete,
        closed,      ///< the client went away, or we close: there is nobody to answer
        timed_out,   ///< part of it came, then too little for too long
        too_large,   ///< the head did not end within its limit
    };

    Connection(asio::ip::tcp::socket socket, const HttpLimits& limits);

    /// Reads up to the end of the next head. The first byte may take `patience`; silence until then is `closed`. A head that is plainly none
    /// (a line ended by a bare LF, a first byte that begins no method) is `complete` as far as it came, for the gate to refuse.
    asio::awaitable<ReadEnd> read_head(std::chrono::milliseconds patience);
    /// What read_head() read; valid until the next read_head().
    std::string_view head() const { return {input_.data() + begin_, head_size_}; }
    /// Reads the `bytes` that follow the head straight into `body`, with room for `padding` more.
    asio::awaitable<ReadEnd> read_body(std::string& body, std::size_t bytes, std::size_t padding);
    /// Drops the `bytes` that follow the head.
    asio::awaitable<ReadEnd> skip_body(std::size_t bytes);
    /// False: the client went away or took too long to read.
    asio::awaitable<bool> write(std::string_view head, std::string_view body);
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
    /// Moves bytes that were read beyond the head into `to`; returns how many.
    std::size_t take_buffered(char* to, std::size_t most);

    asio::ip::tcp::socket socket_;
    asio::steady_timer timer_;
    const HttpLimits& limits_;
    std::vector<char> input_;      // [begin_, end_) is read and not yet used; a head starts at begin_
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t head_size_ = 0;    // 0 until the head's end is found
    std::size_t scanned_ = 0;      // of the head, without its end
    bool timed_out_ = false;
    bool waits_ = false;
};

}  // namespace catenary::server::net
