#include "tests/bench/load_client.hpp"

#include <fmt/format.h>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace catenary::bench {
namespace {

using Steady = std::chrono::steady_clock;

/// A connected TCP socket.
class Socket {
public:
    Socket(const std::string& host, const std::string& port) {
        addrinfo wanted{};
        wanted.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        if (::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found) != 0) throw std::runtime_error("cannot resolve " + host);
        const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list{found, ::freeaddrinfo};
        number_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(number_, found->ai_addr, found->ai_addrlen) != 0) {
            ::close(number_);
            throw std::runtime_error(fmt::format("cannot connect: {}", std::strerror(errno)));
        }
        const int on = 1;
        ::setsockopt(number_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    ~Socket() { ::close(number_); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int number() const { return number_; }

private:
    int number_ = -1;
};

/// One request on its way out, one answer on its way in.
class Connection {
public:
    Connection(const std::string& host, const std::string& port) : socket_{host, port} { answer_.reserve(16 * 1024); }

    int number() const { return socket_.number(); }
    bool is_idle() const { return !busy_; }
    std::size_t request() const { return request_; }

    void start(std::size_t request, std::string head, const std::string& body) {
        busy_ = true;
        request_ = request;
        head_ = std::move(head);
        body_ = &body;
        sent_ = 0;
        answer_.clear();
        send_more();
    }
    /// Writes until the socket takes no more.
    void send_more() {
        while (sent_ < head_.size() + body_->size()) {
            const auto of_head = std::min(sent_, head_.size());
            const auto of_body = sent_ - of_head;
            std::array<iovec, 2> parts{iovec{head_.data() + of_head, head_.size() - of_head},
                                       iovec{const_cast<char*>(body_->data()) + of_body, body_->size() - of_body}};
            msghdr message{};
            message.msg_iov = parts.data();
            message.msg_iovlen = parts.size();
            const auto written = ::sendmsg(number(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (written < 0 && errno == EINTR) continue;
            if (written < 0 && errno == EAGAIN) return;
            if (written < 0) throw std::runtime_error(fmt::format("the server went away: {}", std::strerror(errno)));
            sent_ += static_cast<std::size_t>(written);
        }
    }
    /// Reads all there is; the status of the answer once it is complete.
    std::optional<int> receive_more() {
        std::array<char, 16 * 1024> part;
        for (;;) {  // to the last byte: the next event comes only with new ones
            const auto got = ::recv(number(), part.data(), part.size(), MSG_DONTWAIT);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0 && errno == EAGAIN) break;
            if (got <= 0) throw std::runtime_error("the server closed a connection");
            answer_.append(part.data(), static_cast<std::size_t>(got));
        }
        const auto end = answer_.find("\r\n\r\n");
        if (end == std::string::npos || answer_.size() < end + 4 + body_length(end)) return std::nullopt;
        busy_ = false;
        int status = 0;
        std::from_chars(answer_.data() + 9, answer_.data() + 12, status);  // "HTTP/1.1 200"
        return status;
    }

private:
    std::size_t body_length(std::size_t head_end) const {
        auto head = answer_.substr(0, head_end);
        for (char& letter : head) letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
        constexpr std::string_view name = "\r\ncontent-length: ";
        const auto at = head.find(name);
        std::size_t length = 0;
        if (at != std::string::npos) std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
        return length;
    }

    Socket socket_;
    bool busy_ = false;
    std::size_t request_ = 0;
    std::string head_;
    const std::string* body_ = nullptr;
    std::size_t sent_ = 0;
    std::string answer_;
};

class Run {
public:
    Run(const LoadOptions& options, const std::vector<std::string>& bodies)
        : options_{options}, bodies_{bodies}, poll_{::epoll_create1(EPOLL_CLOEXEC)}, due_(bodies.size()) {
        const auto authority = options.url.substr(options.url.find("//") + 2);
        const auto colon = authority.rfind(':');
        head_ = fmt::format("POST /api/v1/signals HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/x-ndjson\r\nContent-Length: ",
                            authority, options.key);
        for (std::size_t i = 0; i < options.connections; ++i) {
            auto& made = *connections_.emplace_back(std::make_unique<Connection>(authority.substr(0, colon), authority.substr(colon + 1)));
            epoll_event event{};
            event.events = EPOLLIN | EPOLLOUT | EPOLLET;
            event.data.ptr = &made;
            ::epoll_ctl(poll_, EPOLL_CTL_ADD, made.number(), &event);
        }
    }
    ~Run() { ::close(poll_); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    LoadReport all() {
        const auto begin = Steady::now();
        for (std::size_t i = 0; i < due_.size(); ++i) due_[i] = begin + spacing() * static_cast<std::int64_t>(i);
        while (answered_ < bodies_.size()) {
            start_what_is_due();
            wait();
        }
        report_.seconds = std::chrono::duration<double>(Steady::now() - begin).count();
        std::sort(report_.latencies.begin(), report_.latencies.end());
        return std::move(report_);
    }

private:
    bool has_rate() const { return options_.requests_per_second > 0; }
    Steady::duration spacing() const {
        if (!has_rate()) return Steady::duration{0};
        return std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(1 / options_.requests_per_second));
    }
    void start_what_is_due() {
        const auto first = turn_;  // in turn: the server closes a connection that says nothing for long
        for (std::size_t i = 0; i < connections_.size(); ++i) {
            const auto place = (first + i) % connections_.size();
            auto& connection = connections_[place];
            if (!connection->is_idle()) continue;
            const auto now = Steady::now();
            if (!again_.empty() && again_.front().second <= now) {
                turn_ = place + 1;
                start(*connection, again_.front().first);
                again_.pop_front();
            } else if (next_ < bodies_.size() && due_[next_] <= now) {
                turn_ = place + 1;
                if (!has_rate()) due_[next_] = now;
                start(*connection, next_++);
            }
        }
    }
    void start(Connection& connection, std::size_t request) {
        connection.start(request, head_ + std::to_string(bodies_[request].size()) + "\r\n\r\n", bodies_[request]);
    }
    void wait() {
        std::array<epoll_event, 64> events{};
        const int count = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), patience());
        for (int i = 0; i < count; ++i) {
            auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (connection.is_idle()) continue;
            connection.send_more();
            if (const auto status = connection.receive_more()) finish(connection.request(), *status);
        }
    }
    /// Milliseconds until something is due while a connection is free; otherwise answers wake us.
    int patience() const {
        const bool free = std::any_of(connections_.begin(), connections_.end(), [](const auto& connection) { return connection->is_idle(); });
        auto until = Steady::time_point::max();
        if (free && next_ < bodies_.size()) until = due_[next_];
        if (free && !again_.empty()) until = std::min(until, again_.front().second);
        if (until == Steady::time_point::max()) return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now()).count();
        return static_cast<int>(std::max<std::int64_t>(0, left));
    }
    void finish(std::size_t request, int status) {
        const auto now = Steady::now();
        if (status == 429 || status == 503) {
            again_.emplace_back(request, now + std::chrono::milliseconds{20});
            ++report_.repeated;
            return;
        }
        ++answered_;
        if (status != 200) ++report_.refused;
        report_.latencies.push_back(std::chrono::duration<double>(now - due_[request]).count());
    }

    const LoadOptions& options_;
    const std::vector<std::string>& bodies_;
    int poll_;
    std::string head_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<Steady::time_point> due_;
    std::deque<std::pair<std::size_t, Steady::time_point>> again_;
    std::size_t next_ = 0;
    std::size_t turn_ = 0;
    std::size_t answered_ = 0;
    LoadReport report_;
};

}  // namespace

LoadReport send_load(const LoadOptions& options, const std::vector<std::string>& bodies) { return Run{options, bodies}.all(); }

double percentile(const std::vector<double>& ascending, double share) {
    if (ascending.empty()) return 0;
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(ascending.size())));
    return ascending[std::clamp<std::size_t>(rank, 1, ascending.size()) - 1];
}

}  // namespace catenary::bench
