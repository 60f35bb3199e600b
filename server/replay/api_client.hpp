#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::server {

/// One reply of a Catenary server, whatever its status.
struct ApiReply {
    int status = 0;
    std::string content_type;
    std::string etag;        ///< as sent, with its quotes; "" when absent
    std::string request_id;  ///< X-Request-Id
    std::optional<std::chrono::seconds> retry_after;
    std::string body;
};

/// The server could not be reached, or the connection ended before the reply did: what was sent may or may not have been stored.
struct ApiUnreachable {
    std::string what;
};

/// A blocking HTTP client for one server and one key, over one kept-alive connection. Not thread-safe; one per thread. libcurl does the work.
class ApiClient {
public:
    /// `base`: "http://127.0.0.1:8080", no trailing slash. An empty key sends no Authorization.
    ApiClient(std::string base, std::string key);
    ~ApiClient();
    ApiClient(ApiClient&&) noexcept;
    ApiClient& operator=(ApiClient&&) noexcept;

    struct Request {
        std::string method = "GET";
        std::string path;       ///< with its query, already encoded: "/api/v1/incidents?limit=5"
        std::string_view body;  ///< borrowed during the call; sent for POST, PUT, PATCH
        std::string content_type = "application/json";
        std::vector<std::string> headers;  ///< further ones, "If-Match: \"3\""
        std::chrono::seconds deadline{120};
    };
    /// Throws ApiUnreachable.
    ApiReply send(const Request& request);

    /// Shorthands.
    ApiReply get(const std::string& path);
    ApiReply post(const std::string& path, std::string_view body, const std::string& content_type = "application/json");

private:
    class Session;
    std::unique_ptr<Session> session_;
};

}  // namespace catenary::server
