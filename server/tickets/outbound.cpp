#include "server/tickets/outbound.hpp"

#include "api/tickets/target_url.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string_view>

namespace catenary::server::tickets {
namespace {

using api::tickets::TargetUrl;
using Kind = OutboundError::Kind;

constexpr std::chrono::seconds most_retry_after{24 * 3600};

struct Taken {
    OutboundReply reply;
    std::size_t most = 0;
    bool too_large = false;
    const std::atomic<bool>* cut = nullptr;
};

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* target) {
    auto& taken = *static_cast<Taken*>(target);
    const auto bytes = size * count;
    if (taken.reply.body.size() + bytes > taken.most) {
        taken.too_large = true;
        return 0;  // ends the transfer
    }
    taken.reply.body.append(data, bytes);
    return bytes;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

/// Seconds or a date (RFC 9110 10.2.3); empty on anything else.
std::optional<std::chrono::seconds> retry_after(std::string_view value) {
    std::int64_t seconds = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (parsed.ec == std::errc{} && parsed.ptr == value.data() + value.size()) {
        return std::clamp(std::chrono::seconds{seconds}, std::chrono::seconds{0}, most_retry_after);
    }
    const auto at = curl_getdate(std::string{value}.c_str(), nullptr);
    if (at < 0) return std::nullopt;
    return std::clamp(std::chrono::seconds{at - std::time(nullptr)}, std::chrono::seconds{0}, most_retry_after);
}

/// What follows "name:" on a header's line; empty when it is another header. `name` in lower case.
std::optional<std::string_view> value_of(std::string_view line, std::string_view name) {
    const auto same = [](char lower, char given) { return (given >= 'A' && given <= 'Z' ? static_cast<char>(given + 32) : given) == lower; };
    if (line.size() <= name.size() || line[name.size()] != ':' || !std::equal(name.begin(), name.end(), line.begin(), same)) return std::nullopt;
    return trimmed(line.substr(name.size() + 1));
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* target) {
    constexpr std::size_t most_etag = 256;
    const std::string_view line{data, size * count};
    auto& reply = static_cast<Taken*>(target)->reply;
    if (const auto wait = value_of(line, "retry-after")) reply.retry_after = retry_after(*wait);
    if (const auto etag = value_of(line, "etag"); etag && etag->size() <= most_etag) reply.etag = *etag;
    return line.size();
}

int look_at_progress(void* target, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return static_cast<Taken*>(target)->cut->load() ? 1 : 0; }

struct AddressDeleter {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
struct ListDeleter {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using StringList = std::unique_ptr<curl_slist, ListDeleter>;
void append(StringList& list, const std::string& line) { list.reset(curl_slist_append(list.release(), line.c_str())); }

std::optional<engine::IpAddress> address_of(const addrinfo& entry) {
    char text[INET6_ADDRSTRLEN] = {};
    const void* bytes = nullptr;
    if (entry.ai_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(entry.ai_addr)->sin_addr;
    if (entry.ai_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(entry.ai_addr)->sin6_addr;
    if (bytes == nullptr || ::inet_ntop(entry.ai_family, bytes, text, sizeof text) == nullptr) return std::nullopt;
    return engine::IpAddress::parse(text);
}

/// The address to connect to, every one of the name's having been checked.
boost::system::result<engine::IpAddress, OutboundError> resolve(const TargetUrl& url, const AddressRules& rules) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (const int failed = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &list); failed != 0) {
        return OutboundError{Kind::not_sent, fmt::format("{} cannot be resolved: {}", url.host, ::gai_strerror(failed))};
    }
    const std::unique_ptr<addrinfo, AddressDeleter> owned{list};
    std::optional<engine::IpAddress> first;
    for (const auto* entry = list; entry != nullptr; entry = entry->ai_next) {
        const auto address = address_of(*entry);
        if (!address) continue;
        if (!rules.permits(*address)) {
            return OutboundError{Kind::refused, fmt::format("{} is {}, an address that connectors may not talk to unless the operator allows its network "
                                                            "(--connector-networks)",
                                                            url.host, address->text())};
        }
        if (url.scheme != "https" && !rules.is_allowed(*address)) {
            return OutboundError{
                Kind::refused,
                fmt::format("plain http is spoken only to networks that the operator allows (--connector-networks), and {} is {}", url.host, address->text())};
        }
        if (!first) first = address;
    }
    if (!first) return OutboundError{Kind::not_sent, fmt::format("{} has no address", url.host)};
    return *first;
}

bool may_have_arrived(CURLcode code, CURL* handle) {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL: return false;
        default: break;
    }
    curl_off_t before_transfer = 0;  // 0 until the connection stands
    return curl_easy_getinfo(handle, CURLINFO_PRETRANSFER_TIME_T, &before_transfer) != CURLE_OK || before_transfer > 0;
}

}  // namespace

struct Outbound::Handle {
    Handle() : curl{curl_easy_init()} {}
    ~Handle() { curl_easy_cleanup(curl); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    CURL* curl;
};

Outbound::Outbound(const AddressRules& rules, OutboundLimits limits) : rules_{rules}, limits_{std::move(limits)}, handle_{std::make_unique<Handle>()} {}
Outbound::~Outbound() = default;

OutboundResult Outbound::send(const OutboundRequest& request) {
    const auto url = TargetUrl::parse(request.url);
    if (!url) return OutboundError{Kind::refused, "the address is none that may be asked"};
    const auto address = resolve(*url, rules_);
    if (!address) return address.error();
    auto* curl = handle_->curl;
    curl_easy_reset(curl);
    Taken taken;
    taken.most = limits_.reply_bytes;
    taken.cut = &cut_;
    StringList headers, pinned;
    append(headers, "Expect:");
    append(headers, "Accept: application/json");
    for (const auto& line : request.headers) append(headers, line);
    const bool is_v6_name = url->host.find(':') != std::string::npos;
    const auto shown = address->is_v4 ? address->text() : "[" + address->text() + "]";
    if (!is_v6_name) append(pinned, fmt::format("{}:{}:{}", url->host, url->port, shown));
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_RESOLVE, pinned.get());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "catenary");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &taken);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &taken);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &look_at_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &taken);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect.count()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limits_.total.count()));
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    // A connection that was kept is one that was checked, but its name may lead elsewhere by now.
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    if (!limits_.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, limits_.ca_file.c_str());
    const auto code = curl_easy_perform(curl);
    if (code != CURLE_OK) {
        if (taken.too_large) return OutboundError{Kind::too_large, fmt::format("the reply has more than {} bytes", limits_.reply_bytes)};
        return OutboundError{may_have_arrived(code, curl) ? Kind::lost : Kind::not_sent, curl_easy_strerror(code)};
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    taken.reply.status = static_cast<int>(status);
    return std::move(taken.reply);
}

}  // namespace catenary::server::tickets
