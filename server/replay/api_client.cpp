#include "server/replay/api_client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace catenary::server {
namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

bool same_name(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; });
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* reply) {
    static_cast<ApiReply*>(reply)->body.append(data, size * count);
    return size * count;
}

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* target) {
    auto& reply = *static_cast<ApiReply*>(target);
    const std::string_view line{data, size * count};
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return line.size();
    const auto name = line.substr(0, colon);
    const auto value = trimmed(line.substr(colon + 1));
    if (same_name(name, "content-type")) reply.content_type = value;
    if (same_name(name, "etag")) reply.etag = value;
    if (same_name(name, "x-request-id")) reply.request_id = value;
    if (same_name(name, "retry-after")) {
        int seconds = 0;
        if (std::from_chars(value.data(), value.data() + value.size(), seconds).ec == std::errc{}) reply.retry_after = std::chrono::seconds{seconds};
    }
    return line.size();
}

struct ListDeleter {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListDeleter>;

void append(HeaderList& list, const std::string& line) { list.reset(curl_slist_append(list.release(), line.c_str())); }

}  // namespace

/// The easy handle keeps the connection; it is reset, not remade, for each request.
class ApiClient::Session {
public:
    Session(std::string server, std::string secret) : base{std::move(server)}, key{std::move(secret)}, handle{curl_easy_init()} {}
    ~Session() { curl_easy_cleanup(handle); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    std::string base;
    std::string key;
    CURL* handle;
};

ApiClient::ApiClient(std::string base, std::string key) : session_{std::make_unique<Session>(std::move(base), std::move(key))} {}
ApiClient::~ApiClient() = default;
ApiClient::ApiClient(ApiClient&&) noexcept = default;
ApiClient& ApiClient::operator=(ApiClient&&) noexcept = default;

ApiReply ApiClient::send(const Request& request) {
    auto* handle = session_->handle;
    curl_easy_reset(handle);
    ApiReply reply;
    HeaderList headers;
    append(headers, "Expect:");  // a 1 s wait for 100-continue buys nothing on one machine
    if (!session_->key.empty()) append(headers, "Authorization: Bearer " + session_->key);
    for (const auto& line : request.headers) append(headers, line);
    const bool has_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    if (has_body) {
        append(headers, "Content-Type: " + request.content_type);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data() == nullptr ? "" : request.body.data());
    }
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(handle, CURLOPT_URL, (session_->base + request.path).c_str());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &reply);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &take_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &reply);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, static_cast<long>(request.deadline.count()));
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    if (const auto code = curl_easy_perform(handle); code != CURLE_OK) throw ApiUnreachable{curl_easy_strerror(code)};
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    reply.status = static_cast<int>(status);
    return reply;
}

ApiReply ApiClient::get(const std::string& path) { return send({.method = "GET", .path = path, .body = {}, .content_type = {}, .headers = {}}); }

ApiReply ApiClient::post(const std::string& path, std::string_view body, const std::string& content_type) {
    return send({.method = "POST", .path = path, .body = body, .content_type = content_type, .headers = {}});
}

}  // namespace catenary::server
