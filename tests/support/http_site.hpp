#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace catenary::tests {

struct SiteRequest {
    std::string method;
    std::string target;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
};

struct SiteAnswer {
    int status = 200;
    std::string body;
    std::vector<std::string> headers;  ///< "Name: value"
    enum class Cut { nowhere, before_reply, within_reply } cut = Cut::nowhere;
};

/// A receiver of HTTP on loopback that answers as a test wants, one request a connection, each in a thread of its own. What it is asked is remembered.
class HttpSite {
public:
    using Handler = std::function<SiteAnswer(const SiteRequest&)>;
    explicit HttpSite(Handler handler);
    ~HttpSite();
    HttpSite(const HttpSite&) = delete;
    HttpSite& operator=(const HttpSite&) = delete;

    std::string url() const;  ///< "http://127.0.0.1:PORT"
    std::vector<SiteRequest> requests() const;

private:
    void accept_all();
    void serve(int connection);

    Handler handler_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> ending_ = false;
    mutable std::mutex mutex_;
    std::vector<SiteRequest> requests_;
    std::vector<std::thread> connections_;
    std::thread thread_;
};

}  // namespace catenary::tests
