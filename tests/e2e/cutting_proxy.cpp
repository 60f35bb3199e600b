#include "tests/e2e/cutting_proxy.hpp"

#include "server/replay/api_client.hpp"

namespace catenary::tests {

using server::ApiClient;

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
    const int fate = healed_ ? 9 : static_cast<int>(random_() % 12);
    cuts_ += fate < 3 ? 1 : 0;
    return fate;
}

SiteAnswer CuttingProxy::carry(const SiteRequest& request) {
    const auto fate = draw();
    SiteAnswer lost;
    lost.cut = SiteAnswer::Cut::before_reply;
    if (fate == 0) return lost;
    std::vector<std::string> headers;
    for (const auto* name : {"authorization", "x-redmine-api-key", "if-match"}) {
        if (const auto found = request.headers.find(name); found != request.headers.end()) headers.push_back(std::string{name} + ": " + found->second);
    }
    try {
        ApiClient client{target_, ""};
        const auto reply =
            client.send({.method = request.method, .path = request.target, .body = request.body, .content_type = "application/json", .headers = headers});
        if (fate == 1) return lost;
        SiteAnswer answer{reply.status, reply.body, {}, fate == 2 ? SiteAnswer::Cut::within_reply : SiteAnswer::Cut::nowhere};
        if (!reply.etag.empty()) answer.headers.push_back("ETag: " + reply.etag);
        return answer;
    } catch (const server::ApiUnreachable&) {
        return lost;
    }
}

}  // namespace catenary::tests
