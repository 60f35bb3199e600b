#include "tests/e2e/cutting_proxy.hpp"

#include "server/replay/api_client.hpp"
#include "tests/server/net/raw_client.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace catenary::tests {

using server::ApiClient;

namespace {

enum Fate { lost_before, cut_within, lost_after, cut_reply, carried };
constexpr int fates = 12;  // of which those behind `carried` are like it

/// What the ticket systems look at.
std::vector<std::string> headers_of(const SiteRequest& request) {
    std::vector<std::string> headers;
    for (const auto* name : {"authorization", "x-redmine-api-key", "if-match"}) {
        if (const auto found = request.headers.find(name); found != request.headers.end()) headers.push_back(std::string{name} + ": " + found->second);
    }
    return headers;
}

}  // namespace

int CuttingProxy::cuts() const {
    const std::lock_guard lock{mutex_};
    return cuts_;
}

void CuttingProxy::heal() {
    const std::lock_guard lock{mutex_};
    healed_ = true;
}

int CuttingProxy::draw() {
    const std::lock_guard lock{mutex_};
    const int fate = healed_ ? carried : static_cast<int>(random_() % fates);
    cuts_ += fate < carried ? 1 : 0;
    return fate;
}

void CuttingProxy::carry_half(const SiteRequest& request) const {
    const auto where = target_.substr(target_.find("//") + 2);
    auto text = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", request.method, request.target, where,
                            request.body.size());
    for (const auto& line : headers_of(request)) text += line + "\r\n";
    text += "\r\n";
    text += request.body.substr(0, request.body.size() / 2);
    if (request.body.empty()) text.resize(text.size() / 2);
    try {
        RawClient{where}.send(text);
    } catch (const std::runtime_error&) {
        return;  // it is down: less than half has arrived
    }
}

SiteAnswer CuttingProxy::carry(const SiteRequest& request) {
    const auto fate = draw();
    SiteAnswer lost;
    lost.cut = SiteAnswer::Cut::before_reply;
    if (fate == lost_before) return lost;
    if (fate == cut_within) {
        carry_half(request);
        return lost;
    }
    try {
        ApiClient client{target_, ""};
        const auto reply = client.send(
            {.method = request.method, .path = request.target, .body = request.body, .content_type = "application/json", .headers = headers_of(request)});
        if (fate == lost_after) return lost;
        SiteAnswer answer{reply.status, reply.body, {}, fate == cut_reply ? SiteAnswer::Cut::within_reply : SiteAnswer::Cut::nowhere};
        if (!reply.etag.empty()) answer.headers.push_back("ETag: " + reply.etag);
        return answer;
    } catch (const server::ApiUnreachable&) {
        return lost;
    }
}

}  // namespace catenary::tests
