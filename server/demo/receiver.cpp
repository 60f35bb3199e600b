#include "server/demo/receiver.hpp"

#include "server/tickets/signatures.hpp"

#include <fmt/format.h>
#include <sodium.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

namespace catenary::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Json = nlohmann::json;

constexpr const char* own_address = "127.67.65.84";
constexpr std::chrono::seconds patience{5};  ///< for a whole request, and for its reply
constexpr std::uint64_t most_body_bytes = 1U << 20U;
constexpr std::size_t most_tickets = 64;

std::int64_t seconds_now() { return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

std::string new_signing_secret() {
    std::array<unsigned char, 32> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
    text.pop_back();  // the closing NUL
    return "whsec_" + text;
}

/// Answers one connection after the other, each with one request, on a thread of its own.
class DemoReceiver::Site {
public:
    Site() : acceptor_{io_}, secret_{new_signing_secret()} {
        try {
            const tcp::endpoint where{asio::ip::make_address(own_address), 0};
            acceptor_.open(where.protocol());
            acceptor_.bind(where);
            acceptor_.listen();
            port_ = acceptor_.local_endpoint().port();
        } catch (const boost::system::system_error& failed) {
            throw std::runtime_error(fmt::format("the demo's receiver cannot listen on {}: {}", own_address, failed.what()));
        }
        accept();
        thread_ = std::thread{[this] { io_.run(); }};
    }
    ~Site() {
        io_.stop();
        thread_.join();
    }
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    std::string url() const { return fmt::format("http://{}:{}/", own_address, port_); }
    const std::string& secret() const { return secret_; }
    Received received() const {
        const std::lock_guard lock{mutex_};
        return received_;
    }

private:
    void accept() {
        acceptor_.async_accept([this](const boost::system::error_code& failed, tcp::socket socket) {
            if (failed) return;  // nobody is served any more
            stream_.emplace(std::move(socket));
            read();
        });
    }
    void read() {
        buffer_.clear();
        parser_.emplace();
        parser_->body_limit(most_body_bytes);
        stream_->expires_after(patience);
        http::async_read(*stream_, buffer_, *parser_, [this](const boost::system::error_code& failed, std::size_t) {
            if (failed) return accept();
            answer();
        });
    }
    void answer() {
        const auto& request = parser_->get();
        const bool taken = request.method() == http::verb::post && take(request);
        reply_ = {taken ? http::status::no_content : http::status::bad_request, 11};
        reply_.keep_alive(false);
        reply_.prepare_payload();
        stream_->expires_after(patience);
        http::async_write(*stream_, reply_, [this](const boost::system::error_code&, std::size_t) {
            boost::system::error_code ignored;
            stream_->socket().shutdown(tcp::socket::shutdown_both, ignored);
            accept();
        });
    }
    /// Whether it is a message of the connector's.
    bool take(const http::request<http::string_body>& request) {
        const auto text = [&](const char* name) { return std::string{request[name]}; };
        const auto id = text("webhook-id"), timestamp = text("webhook-timestamp"), signatures = text("webhook-signature");
        const bool is_genuine = tickets::is_signed({secret_}, {id, timestamp, signatures}, request.body(), seconds_now());
        const std::lock_guard lock{mutex_};
        if (!is_genuine) {
            ++received_.refused;
            return false;
        }
        ++received_.verified;
        keep(Json::parse(request.body(), nullptr, false));
        return true;
    }
    /// Signed, so it is as the connector makes it; what has no incident (a test of the connector) is no ticket.
    void keep(const Json& message) {
        try {
            const auto& data = message.at("data");
            if (!data.contains("incident")) return;
            const auto number = data.at("incident").at("number").get<std::int64_t>();
            if (received_.tickets.size() >= most_tickets && !received_.tickets.contains(number)) return;
            received_.tickets[number] = {message.at("type").get<std::string>(), data.at("title").get<std::string>(), data.at("body").get<std::string>()};
        } catch (const Json::exception&) {
            --received_.verified;
            ++received_.refused;
        }
    }

    asio::io_context io_{1};
    tcp::acceptor acceptor_;
    std::uint16_t port_ = 0;
    const std::string secret_;
    std::optional<beast::tcp_stream> stream_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    http::response<http::empty_body> reply_;
    mutable std::mutex mutex_;
    Received received_;
    std::thread thread_;  // last: it uses the others
};

DemoReceiver::DemoReceiver() : site_{std::make_unique<Site>()} {}
DemoReceiver::~DemoReceiver() = default;

engine::IpNetwork DemoReceiver::network() { return *engine::IpNetwork::parse(own_address); }
std::string DemoReceiver::url() const { return site_->url(); }
const std::string& DemoReceiver::secret() const { return site_->secret(); }
DemoReceiver::Received DemoReceiver::received() const { return site_->received(); }

}  // namespace catenary::server
