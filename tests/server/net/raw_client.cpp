#include "tests/server/net/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <stdexcept>

namespace catenary::tests {

RawClient::RawClient(const std::string& where) : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    const auto colon = where.rfind(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(where.substr(colon + 1))));
    ::inet_pton(AF_INET, where.substr(0, colon).c_str(), &address.sin_addr);
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("cannot connect to " + where);
}

RawClient::~RawClient() { ::close(socket_); }

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool RawClient::send_within(std::string_view bytes, std::chrono::milliseconds patience) {
    while (!bytes.empty()) {
        pollfd writable{.fd = socket_, .events = POLLOUT, .revents = 0};
        if (::poll(&writable, 1, static_cast<int>(patience.count())) != 1) return false;
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool RawClient::hears_within(std::chrono::milliseconds patience) const {
    pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
    return ::poll(&readable, 1, static_cast<int>(patience.count())) == 1;
}

bool RawClient::swallow(std::size_t most) {
    std::string swallowed(most, '\0');
    return ::recv(socket_, swallowed.data(), swallowed.size(), 0) > 0;
}

bool RawClient::fill() {
    std::array<char, 16384> chunk{};
    const auto got = ::recv(socket_, chunk.data(), chunk.size(), 0);
    if (got <= 0) return false;
    input_.append(chunk.data(), static_cast<std::size_t>(got));
    return true;
}

RawReply RawClient::read_reply(Method method) {
    constexpr std::string_view line_end = "\r\n";
    while (input_.find("\r\n\r\n") == std::string::npos) {
        if (!fill()) return {};
    }
    RawReply reply;
    const auto head_size = input_.find("\r\n\r\n") + 4;
    auto head = std::string_view{input_}.substr(0, head_size - 2);
    reply.status = std::stoi(std::string{head.substr(9, 3)});
    head.remove_prefix(head.find(line_end) + 2);
    while (!head.empty()) {
        const auto line = head.substr(0, head.find(line_end));
        head.remove_prefix(line.size() + 2);
        const auto colon = line.find(": ");
        std::string name{line.substr(0, colon)};
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        reply.fields[name] = line.substr(colon + 2);
    }
    input_.erase(0, head_size);
    if (method == Method::head || !reply.fields.contains("content-length")) return reply;
    const auto size = static_cast<std::size_t>(std::stoul(reply.fields["content-length"]));
    while (input_.size() < size) {
        if (!fill()) return {};
    }
    reply.body = input_.substr(0, size);
    input_.erase(0, size);
    return reply;
}

bool RawClient::ends() {
    if (!input_.empty()) return false;
    char byte = 0;
    const auto got = ::recv(socket_, &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

}  // namespace catenary::tests
