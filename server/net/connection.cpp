#include "server/net/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace catenary::server::net {
namespace {

constexpr std::size_t first_buffer = 4 * 1024;       // most heads fit; grows up to the limit, so that idle connections stay cheap
constexpr std::size_t finish_bytes = 1024 * 1024;    // what finish() drops at most
constexpr std::chrono::milliseconds finish_time{1'000};

/// What may begin a request line. TLS handshakes and other protocols fail here instead of waiting for the deadline.
bool begins_method(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, const HttpLimits& limits)
    : socket_{std::move(socket)}, timer_{socket_.get_executor()}, limits_{limits}, input_(first_buffer) {}

void Connection::start_deadline(std::chrono::milliseconds from_now) {
    timer_.expires_after(from_now);
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        const auto self = weak.lock();
        // The deadline may have moved while this handler was on its way.
        if (error || self == nullptr || std::chrono::steady_clock::now() < self->timer_.expiry()) return;
        self->timed_out_ = true;
        boost::system::error_code ignored;
        self->socket_.cancel(ignored);
    });
}

std::chrono::milliseconds Connection::time_for(std::chrono::milliseconds base, std::size_t bytes) const {
    return base + std::chrono::seconds{bytes / limits_.slowest_bytes_per_second};
}

asio::awaitable<std::size_t> Connection::read_some(asio::mutable_buffer into) {
    if (timed_out_ || !socket_.is_open()) co_return 0;
    const auto [error, bytes] = co_await socket_.async_read_some(into, asio::as_tuple(asio::use_awaitable));
    co_return error ? 0 : bytes;
}

bool Connection::find_head_end() {
    const char* const start = input_.data() + begin_;
    const auto size = end_ - begin_;
    if (size > 0 && !begins_method(start[0])) {
        head_size_ = size;
        return true;
    }
    while (scanned_ < size) {
        const auto* feed = static_cast<const char*>(std::memchr(start + scanned_, '\n', size - scanned_));
        if (feed == nullptr) {
            scanned_ = size;
            return false;
        }
        const auto at = static_cast<std::size_t>(feed - start);
        scanned_ = at + 1;
        const bool is_end = at >= 3 && std::string_view{feed - 3, 4} == "\r\n\r\n";
        const bool is_bare = at == 0 || feed[-1] != '\r';
        if (is_end || is_bare) {
            head_size_ = scanned_;
            return true;
        }
    }
    return false;
}

asio::awaitable<Connection::ReadEnd> Connection::read_head(std::chrono::milliseconds patience) {
    begin_ += head_size_;  // of a request whose body nobody asked for, since it had none
    if (begin_ > 0) {
        std::memmove(input_.data(), input_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    head_size_ = 0;
    scanned_ = 0;
    waits_ = end_ == 0;
    start_deadline(waits_ ? patience : limits_.header);
    while (!find_head_end()) {
        if (end_ > limits_.header_bytes) {
            end_deadline();
            head_size_ = end_;
            co_return ReadEnd::too_large;
        }
        // One byte more than allowed, so that a head of exactly the limit and one beyond it differ.
        if (end_ == input_.size()) input_.resize(std::min(input_.size() * 2, limits_.header_bytes + 1));
        const auto bytes = co_await read_some(asio::buffer(input_.data() + end_, input_.size() - end_));
        if (bytes == 0) {
            end_deadline();
            co_return timed_out_ && !waits_ ? ReadEnd::timed_out : ReadEnd::closed;
        }
        if (waits_) start_deadline(limits_.header);
        waits_ = false;
        end_ += bytes;
    }
    waits_ = false;
    end_deadline();
    co_return ReadEnd::complete;
}

std::size_t Connection::take_buffered(char* to, std::size_t most) {
    const auto from = begin_ + head_size_;
    const auto bytes = std::min(most, end_ - from);
    if (to != nullptr) std::memcpy(to, input_.data() + from, bytes);
    begin_ = from + bytes;
    head_size_ = 0;
    return bytes;
}

asio::awaitable<Connection::ReadEnd> Connection::read_body(std::string& body, std::size_t bytes, std::size_t padding) {
    body.reserve(bytes + padding);
    body.resize(bytes);
    auto have = take_buffered(body.data(), bytes);
    if (have == bytes) co_return ReadEnd::complete;
    start_deadline(time_for(limits_.body, bytes));
    while (have < bytes) {
        const auto more = co_await read_some(asio::buffer(body.data() + have, bytes - have));
        if (more == 0) {
            end_deadline();
            co_return timed_out_ ? ReadEnd::timed_out : ReadEnd::closed;
        }
        have += more;
    }
    end_deadline();
    co_return ReadEnd::complete;
}

asio::awaitable<Connection::ReadEnd> Connection::skip_body(std::size_t bytes) {
    std::string dropped;
    co_return co_await read_body(dropped, bytes, 0);
}

asio::awaitable<bool> Connection::write(std::string_view head, std::string_view body) {
    if (!socket_.is_open()) co_return false;
    start_deadline(time_for(limits_.write, body.size()));
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head.data(), head.size()), asio::buffer(body.data(), body.size())};
    const auto [error, bytes] = co_await asio::async_write(socket_, parts, asio::as_tuple(asio::use_awaitable));
    end_deadline();
    co_return !error && !timed_out_;
}

asio::awaitable<void> Connection::finish() {
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    timed_out_ = false;
    begin_ = end_ = head_size_ = 0;
    start_deadline(finish_time);
    std::size_t dropped = 0;
    while (dropped < finish_bytes) {
        const auto bytes = co_await read_some(asio::buffer(input_));
        if (bytes == 0) break;
        dropped += bytes;
    }
    end_deadline();
    close();
}

void Connection::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

}  // namespace catenary::server::net
