#include "server/net/connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <cstring>

namespace catenary::server::net {
namespace {

namespace beast = boost::beast;

constexpr std::size_t head_step = 4 * 1024;        // most heads fit; the buffer grows from here, so that idle connections stay cheap
constexpr std::size_t body_step = 64 * 1024;       // of a body, read at once: stays in the processor's cache until it is appended
constexpr std::size_t finish_bytes = 1024 * 1024;  // what finish() drops at most
constexpr std::chrono::milliseconds finish_time{1'000};

/// What may begin a request line. TLS handshakes and other protocols fail here instead of waiting for the deadline.
bool begins_method(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, const HttpLimits& limits) : socket_{std::move(socket)}, timer_{socket_.get_executor()}, limits_{limits} {}

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
    const auto* const start = static_cast<const char*>(input_.data().data());
    const auto size = input_.size();
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
    parser_.reset();
    head_size_ = 0;
    scanned_ = 0;
    waits_ = input_.size() == 0;
    if (waits_ && input_.capacity() > head_step) input_.shrink_to_fit();  // of a body: ten thousand idle connections could not keep theirs
    start_deadline(waits_ ? patience : limits_.header);
    while (!find_head_end()) {
        if (input_.size() > limits_.header_bytes) {
            end_deadline();
            head_size_ = input_.size();
            co_return ReadEnd::too_large;
        }
        // One byte more than allowed, so that a head of exactly the limit and one beyond it differ.
        const auto room = input_.prepare(std::min(std::max(head_step, input_.size()), limits_.header_bytes + 1 - input_.size()));
        const auto bytes = co_await read_some(room);
        if (bytes == 0) {
            end_deadline();
            co_return timed_out_ && !waits_ ? ReadEnd::timed_out : ReadEnd::closed;
        }
        if (waits_) start_deadline(limits_.header);
        waits_ = false;
        input_.commit(bytes);
    }
    waits_ = false;
    end_deadline();
    co_return ReadEnd::complete;
}

bool Connection::accept_head(std::uint64_t body_bytes) {
    auto& parser = parser_.emplace();
    parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes) + 1);
    parser.body_limit(limits_.batch_bytes);
    beast::error_code error;
    const auto used = parser.put(asio::buffer(input_.data().data(), head_size_), error);
    const bool reads_alike = !error && used == head_size_ && parser.is_header_done() && !parser.chunked() && parser.content_length().value_or(0) == body_bytes;
    parser.eager(true);  // from here on, of the body: as much as there is
    input_.consume(head_size_);
    head_size_ = 0;
    return reads_alike;
}

asio::awaitable<Connection::ReadEnd> Connection::read_body(std::string& body) {
    auto& parser = *parser_;
    const auto bytes = static_cast<std::size_t>(parser.content_length().value_or(0));
    input_.reserve(std::min(bytes, body_step));
    start_deadline(time_for(limits_.body, bytes));
    // Step by step: a deadline that passes between two steps finds nothing to cancel.
    while (!parser.is_done()) {
        if (timed_out_ || !socket_.is_open()) break;
        const auto [error, step] = co_await beast::http::async_read_some(socket_, input_, parser, asio::as_tuple(asio::use_awaitable));
        if (error) break;
    }
    end_deadline();
    if (!parser.is_done()) co_return timed_out_ ? ReadEnd::timed_out : ReadEnd::closed;
    body = std::move(parser.get().body());
    co_return ReadEnd::complete;
}

asio::awaitable<bool> Connection::write(const Reply& reply, ReplyPart part) {
    timed_out_ = false;  // a request that came too slowly is told so
    start_deadline(time_for(limits_.write, reply.body().size()));
    beast::http::response_serializer<Reply::body_type> serializer{reply};
    serializer.split(part == ReplyPart::head);
    const auto is_written = [&] { return part == ReplyPart::head ? serializer.is_header_done() : serializer.is_done(); };
    while (!is_written()) {
        if (timed_out_ || !socket_.is_open()) break;
        const auto [error, step] = co_await beast::http::async_write_some(socket_, serializer, asio::as_tuple(asio::use_awaitable));
        if (error) break;
    }
    end_deadline();
    co_return is_written() && !timed_out_;
}

asio::awaitable<void> Connection::finish() {
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    timed_out_ = false;
    input_.clear();
    start_deadline(finish_time);
    std::size_t dropped = 0;
    while (dropped < finish_bytes) {
        const auto bytes = co_await read_some(input_.prepare(head_step));
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

void write_at_once(asio::ip::tcp::socket& socket, const Reply& reply) {
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    beast::http::write(socket, reply, ignored);
}

}  // namespace catenary::server::net
