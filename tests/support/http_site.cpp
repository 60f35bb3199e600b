#include "tests/support/http_site.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace catenary::tests {
namespace {

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

bool receive(int connection, std::string& text, std::size_t until) {
    char buffer[65536];
    while (text.size() < until) {
        const auto got = ::recv(connection, buffer, sizeof buffer, 0);
        if (got <= 0) return false;
        text.append(buffer, static_cast<std::size_t>(got));
    }
    return true;
}

bool read_request(int connection, SiteRequest& request) {
    std::string text;
    std::size_t end = 0;
    while ((end = text.find("\r\n\r\n")) == std::string::npos) {
        if (!receive(connection, text, text.size() + 1)) return false;
    }
    const auto head = text.substr(0, end);
    auto at = head.find("\r\n");
    const auto line = head.substr(0, at);
    request.method = line.substr(0, line.find(' '));
    request.target = line.substr(line.find(' ') + 1, line.rfind(' ') - line.find(' ') - 1);
    while (at != std::string::npos) {
        const auto next = head.find("\r\n", at + 2);
        const auto field = head.substr(at + 2, next == std::string::npos ? next : next - at - 2);
        const auto colon = field.find(':');
        if (colon != std::string::npos) request.headers[lower(field.substr(0, colon))] = field.substr(std::min(field.size(), colon + 2));
        at = next;
    }
    const auto length = request.headers.contains("content-length") ? std::stoul(request.headers.at("content-length")) : 0UL;
    if (!receive(connection, text, end + 4 + length)) return false;
    request.body = text.substr(end + 4, length);
    return true;
}

void send_all(int connection, std::string_view text) {
    while (!text.empty()) {
        const auto sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

}  // namespace

HttpSite::HttpSite(Handler handler) : handler_{std::move(handler)}, listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error("cannot listen on loopback");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { accept_all(); }};
}

HttpSite::~HttpSite() {
    ending_ = true;
    thread_.join();
    for (auto& connection : connections_) connection.join();
    ::close(listener_);
}

std::string HttpSite::url() const { return fmt::format("http://127.0.0.1:{}", port_); }

std::vector<SiteRequest> HttpSite::requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
}

void HttpSite::accept_all() {
    while (!ending_) {
        pollfd waiting{listener_, POLLIN, 0};
        if (::poll(&waiting, 1, 50) <= 0) continue;
        const int connection = ::accept(listener_, nullptr, nullptr);
        if (connection >= 0) connections_.emplace_back([this, connection] { serve(connection); });
    }
}

void HttpSite::serve(int connection) {
    SiteRequest request;
    if (read_request(connection, request)) {
        {
            const std::lock_guard lock{mutex_};
            requests_.push_back(request);
        }
        const auto answer = handler_(request);
        auto text = fmt::format("HTTP/1.1 {} Status\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n", answer.status,
                                answer.body.size());
        for (const auto& line : answer.headers) text += line + "\r\n";
        text += "\r\n" + answer.body;
        if (answer.cut == SiteAnswer::Cut::within_reply) text.resize(text.size() / 2);
        if (answer.cut != SiteAnswer::Cut::before_reply) send_all(connection, text);
    }
    ::shutdown(connection, SHUT_RDWR);
    ::close(connection);
}

}  // namespace catenary::tests
